// SPDX-License-Identifier: MIT
// A receiver that loses no event which it has accepted. It verifies and records each POST to /webhooks, answers,
// and handles the event after that.
//   ANTHROPIC_WEBHOOK_SIGNING_KEY_FILE=path receiver [options] [port [database [address]]]
// The file has a secret, or several while one is replaced, with white space or commas between them. It is read
// again on SIGHUP, and when a delivery does not verify. ANTHROPIC_WEBHOOK_SIGNING_KEY may have them instead. The
// database is a file for SQLite, or a postgresql:// URL, which any number of receivers may share. Port 0 is any
// free port. GET /healthz is answered with 200 while deliveries can be recorded. Options:
//   --grace SECONDS      on SIGTERM, accepts deliveries for so long, while /healthz is already answered with 503
//   --save-refused FILE  saves requests that are answered with 401, for diagnosis: a few, in FILE.signed.1 and so
//   on
// It belongs behind a reverse proxy, which does the TLS.
#include "http.hpp"
#include "secrets.hpp"
#include "threads.hpp"

#include <sys/stat.h>

#include <charconv>
#include <csignal>
#include <filesystem>
#include <iostream>

using namespace anthropic::webhooks;
using namespace std::chrono_literals;

// Replace this with your own work. store.hpp says what it can rely on.
void handle(Transaction& db, const UnwrapWebhookEvent& event) {
  const auto idle = [](const BetaWebhookSessionStatusIdledEventData& e) { return "session " + e.id + " is idle"; };
  const auto other = [](const auto& e) { return std::string(e.type) + ' ' + e.id; };
  const std::string note = std::visit(overloaded{idle, other}, event.data);
  db.run("INSERT INTO notes VALUES($1, $2)", {event.id, note});
}

struct Options {
  std::string save_refused, database = "webhooks.db", address = "127.0.0.1";
  int port = 8080, grace = 0;
};

// No message repeats an argument: it may be a URL with a password in the wrong place.
Options parse(const std::vector<std::string>& arguments) {
  const auto number = [](const std::string& text, int most, const std::string& what) {
    int value = 0;
    const auto* const end = text.data() + text.size();
    const auto [last, error] = std::from_chars(text.data(), end, value);
    if (error == std::errc() && last == end && value >= 0 && value <= most) return value;
    throw std::runtime_error("the " + what + " is no number from 0 to " + std::to_string(most));
  };
  Options options;
  std::vector<std::string> rest;
  for (auto at = arguments.begin(); at != arguments.end(); ++at) {
    const bool has_value = at + 1 != arguments.end();
    if (*at == "--save-refused" && has_value) {
      options.save_refused = *++at;
    } else if (*at == "--grace" && has_value) {
      options.grace = number(*++at, 3600, "grace period");
    } else if (at->compare(0, 2, "--") == 0) {
      throw std::runtime_error("unknown option: " + at->substr(0, at->find('=')));
    } else {
      rest.push_back(*at);
    }
  }
  if (rest.size() > 3) throw std::runtime_error("there are more than three arguments");
  if (!rest.empty()) options.port = number(rest[0], 65535, "port");
  if (rest.size() > 1) options.database = rest[1];
  if (rest.size() > 2) options.address = rest[2];
  return options;
}

using Headers = std::vector<std::pair<std::string_view, std::string_view>>;

// Saves header lines, an empty line and the body. The first four requests stay until somebody deletes them. Later
// ones take turns in four more files, at most one a second. So it is not easy to push out the one that is wanted.
void save(const std::string& path, const Headers& headers, const std::string& body) {
  static std::map<std::string, std::pair<int, std::chrono::steady_clock::time_point>> turns;
  auto& [turn, next] = turns[path];
  int number = 1;
  while (number < 5 && std::filesystem::exists(path + std::to_string(number))) ++number;
  if (number == 5) {
    if (std::chrono::steady_clock::now() < next) return;
    next = std::chrono::steady_clock::now() + 1s;
    number += turn++ % 4;
  }
  std::remove((path + "part").c_str());
  std::ofstream file(path + "part", std::ios::binary);
  for (const auto& [name, value] : headers) file << name << ": " << value << '\n';
  file << '\n' << body;
  file.close();
  const bool good = file && std::rename((path + "part").c_str(), (path + std::to_string(number)).c_str()) == 0;
  if (!good) the_log.line("cannot save the request in " + path + std::to_string(number));
}

class Webhooks final : public Server {
 public:
  Webhooks(asio::io_context& io, std::string save_refused, Secrets& secrets, Recorder& recorder,
           Handlers& handlers)
      : Server(io),
        save_refused_(std::move(save_refused)),
        secrets_(secrets),
        recorder_(recorder),
        handlers_(handlers) {}

 private:
  // The target may have a query, and may be a whole URL.
  static bool is_for(std::string_view path, const Request& header) {
    std::string_view target = view(header.target());
    target = target.substr(0, target.find('?'));
    if (const auto host = target.find("://"); host != target.npos && target[0] != '/') {
      target.remove_prefix(std::min(target.find('/', host + 3), target.size()));
    }
    return target == path;
  }

  Answer check(const Request& header) const override {
    using http::field;
    const bool reads = header.method() == http::verb::get || header.method() == http::verb::head;
    if (is_for("/healthz", header))
      return reads ? Answer() : Answer{405, "only GET and HEAD /healthz", "", "GET, HEAD"};
    if (!is_for("/webhooks", header)) return {404, "only POST /webhooks"};
    if (header.method() != http::verb::post) return {405, "only POST /webhooks", "", "POST"};
    for (const auto& line : header) {
      if ((line.name() == field::content_encoding && !beast::iequals(line.value(), "identity")) ||
          (line.name() == field::transfer_encoding && !beast::iequals(line.value(), "chunked"))) {
        return {415, "the body is encoded, perhaps by a proxy"};
      }
    }
    return {};
  }

  asio::awaitable<Answer> answer(const Request& request) override {
    if (is_for("/healthz", request)) co_return co_await health();
    Answer answer = verify(request);
    if (answer.status != 0) co_return answer;
    const std::string id = printable(view(request["webhook-id"]));
    try {
      const bool is_new = co_await recorder_.record(id, request.body());
      handlers_.wake();
      WebhookError error;
      const auto event = try_unwrap(request.body(), error);
      answer = {200, (is_new ? "recorded " : "duplicate ") + id};
      answer.for_the_log =
          event ? " " + std::string(event_type(event->data)) : std::string(" not understood: ") + error.what();
    } catch (const std::exception& e) {
      answer = {503, "not recorded", std::string(": ") + e.what()};  // the service sends it again
    }
    co_return answer;
  }

  Answer verify(const Request& request) {
    Headers headers;
    for (const auto& line : request) headers.emplace_back(view(line.name_string()), view(line.value()));
    try {
      secrets_.verify(request.body(), headers);
    } catch (const WebhookError& e) {
      const char* const kind = e.code() == WebhookErrc::missing_header ? ".unsigned." : ".signed.";
      if (!save_refused_.empty()) save(save_refused_ + kind, headers, request.body());
      return {401, e.what()};
    }
    if (request["webhook-id"].size() > 1000) return {431, "the webhook-id is too long"};
    return {};
  }

  // Strangers may ask as often as they like: it looks once a second.
  asio::awaitable<Answer> health() {
    using clock = std::chrono::steady_clock;
    if (clock::now() >= look_at_) {
      look_at_ = clock::time_point::max();
      try {
        co_await recorder_.record("", "");
        is_good_ = true;
      } catch (const std::exception&) {
        is_good_ = false;
      }
      look_at_ = clock::now() + 1s;
    }
    const bool good = is_good_ && !is_ending();
    co_return Answer{good ? 200U : 503U, good ? "good" : is_ending() ? "ending" : "cannot record", "", "", false};
  }

  std::string save_refused_;
  Secrets& secrets_;
  Recorder& recorder_;
  Handlers& handlers_;
  bool is_good_ = false;
  std::chrono::steady_clock::time_point look_at_;
};

asio::awaitable<void> stop_on(asio::signal_set& signals, int grace, Server& server) {
  co_await signals.async_wait(asio::use_awaitable);
  server.end_connections();
  asio::steady_timer timer(co_await asio::this_coro::executor, std::chrono::seconds(grace));
  signals.async_wait([&timer](const beast::error_code& canceled, int) {
    if (!canceled) timer.cancel();  // a second signal
  });
  beast::error_code ec;
  co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, ec));
  signals.cancel();
  co_await server.stop();
}

asio::awaitable<void> reload_on(asio::signal_set& signal, Secrets& secrets) {
  for (;; secrets.reload(true))
    co_await signal.async_wait(asio::use_awaitable);  // which throws when it is canceled
}

int main(int argc, char** argv) try {
  const std::unique_ptr<Log, void (*)(Log*)> in_the_end(&the_log, [](Log* log) { log->end(); });
  umask(077);  // what it writes is for its owner alone
  std::signal(SIGPIPE, SIG_IGN);
  const Options options = parse({argv + 1, argv + argc});
  Secrets secrets;
  const bool file = options.database.find("://") == std::string::npos;  // and so one writer at a time
  asio::io_context io(1);
  Recorder recorder(open_store(options.database, Purpose::record));
  std::vector<std::unique_ptr<Store>> stores(file ? 1 : 2);
  for (auto& store : stores) store = open_store(options.database, Purpose::handle);
  Handlers handlers(std::move(stores), [](auto& db, const auto&, const auto& body) { handle(db, unwrap(body)); });
  Webhooks server(io, options.save_refused, secrets, recorder, handlers);

  asio::signal_set stop(io, SIGINT, SIGTERM), hangup(io, SIGHUP);
  asio::co_spawn(io, reload_on(hangup, secrets), asio::detached);
  asio::co_spawn(io, stop_on(stop, options.grace, server), [&](auto) { hangup.cancel(); });
  the_log.print("listening on " + server.listen(options.address, options.port) + "/webhooks\n");
  handlers.start();  // only now: one that crashes does not keep the port closed
  io.run();  // until requests in flight have been answered. The next start handles the events that are left.
} catch (const std::exception& e) {
  std::cerr << "receiver: " << e.what()
            << "\nANTHROPIC_WEBHOOK_SIGNING_KEY_FILE=... receiver [--grace SECONDS] [--save-refused FILE]"
               " [port [database [address]]]\n";
  return 2;
}
