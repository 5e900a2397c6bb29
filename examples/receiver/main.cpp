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
#include <optional>

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
// ones take turns in four files more, at most one a second. Those without the headers of a delivery, as scanners
// send them, have files of their own. So it is not easy to push out the one that is wanted.
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
  const std::string unfinished = path + "part";
  std::remove(unfinished.c_str());
  std::ofstream file(unfinished, std::ios::binary);
  for (const auto& [name, value] : headers) file << name << ": " << value << '\n';
  file << '\n' << body;
  file.close();
  if (!file || std::rename(unfinished.c_str(), (path + std::to_string(number)).c_str()) != 0) {
    throw std::runtime_error("cannot save it in " + path + std::to_string(number));
  }
}

// What the server asks.
class Webhooks {
 public:
  Webhooks(const Options& options, Secrets& secrets, Recorder& recorder, Handlers& handlers)
      : save_refused_(options.save_refused), secrets_(secrets), recorder_(recorder), handlers_(handlers) {}

  // Refuses what is no delivery, before its body is read.
  Answer check(const Request& header) const {
    const auto method = header.method();
    if (is_for("/healthz", header)) {
      if (method == http::verb::get || method == http::verb::head) return {};
      return {405, "only GET and HEAD /healthz", "", "GET, HEAD"};
    }
    if (!is_for("/webhooks", header)) return {404, "only POST /webhooks"};
    if (method != http::verb::post) return {405, "only POST /webhooks", "", "POST"};
    for (const auto& field : header) {
      const bool is_plain =
          field.name() == http::field::content_encoding    ? beast::iequals(field.value(), "identity")
          : field.name() == http::field::transfer_encoding ? beast::iequals(field.value(), "chunked")
                                                           : true;
      if (!is_plain) return {415, "the body is encoded, perhaps by a proxy"};
    }
    return {};
  }

  asio::awaitable<Answer> answer(const Request& request) {
    if (is_for("/healthz", request)) co_return co_await health();
    Answer answer = verify(request);
    if (answer.status != 0) co_return answer;
    const std::string id = printable(view(request["webhook-id"]));
    try {
      const bool is_new = co_await recorder_.record(id, request.body());
      handlers_.wake();
      WebhookError error;
      const auto event = try_unwrap(request.body(), error);
      answer.status = 200;
      answer.text = (is_new ? "recorded " : "duplicate ") + id;
      answer.for_the_log =
          event ? ' ' + std::string(event_type(event->data)) : std::string(" not understood: ") + error.what();
    } catch (const std::exception& e) {
      answer = {503, "not recorded", std::string(": ") + e.what()};  // the service sends it again
    }
    co_return answer;
  }

  // Has proxies send to others.
  void say_unhealthy() { is_ending_ = true; }

 private:
  // The target may have a query, and be a whole URL.
  static bool is_for(std::string_view path, const Request& header) {
    std::string_view target = view(header.target());
    target = target.substr(0, target.find('?'));
    if (const auto host = target.find("://"); host != target.npos && target[0] != '/') {
      target.remove_prefix(std::min(target.find('/', host + 3), target.size()));
    }
    return target == path;
  }

  Answer verify(const Request& request) {
    Headers headers;
    for (const auto& field : request) headers.emplace_back(view(field.name_string()), view(field.value()));
    try {
      secrets_.verify(request.body(), headers);
    } catch (const WebhookError& e) {
      const bool is_delivery = e.code() != WebhookErrc::missing_header;
      if (!save_refused_.empty())
        save(save_refused_ + (is_delivery ? ".signed." : ".unsigned."), headers, request.body());
      return {401, e.what()};
    }
    if (request["webhook-id"].size() > 1000) return {431, "the webhook-id is too long"};
    return {};
  }

  // One probe a second, however many ask.
  asio::awaitable<Answer> health() {
    if (std::chrono::steady_clock::now() >= probe_at_) {
      probe_at_ = std::chrono::steady_clock::time_point::max();
      try {
        co_await recorder_.record("", "");
        is_healthy_ = true;
      } catch (const std::exception&) {
        is_healthy_ = false;
      }
      probe_at_ = std::chrono::steady_clock::now() + 1s;
    }
    Answer answer{503, is_ending_ ? "ending" : "deliveries cannot be recorded", "", "", false};
    if (is_healthy_ && !is_ending_) answer = {200, "good", "", "", false};
    co_return answer;
  }

  std::string save_refused_;
  Secrets& secrets_;
  Recorder& recorder_;
  Handlers& handlers_;
  bool is_healthy_ = false, is_ending_ = false;
  std::chrono::steady_clock::time_point probe_at_;
};

asio::awaitable<void> stop_on(asio::signal_set& signals, int grace, Webhooks& webhooks, Server& server) {
  co_await signals.async_wait(asio::use_awaitable);
  webhooks.say_unhealthy();
  server.end_connections();
  asio::steady_timer timer(co_await asio::this_coro::executor, std::chrono::seconds(grace));
  signals.async_wait([&timer](const beast::error_code& canceled, int) {
    if (!canceled) timer.cancel();  // the second signal
  });
  beast::error_code ec;
  co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, ec));
  signals.cancel();
  co_await server.stop();
}

asio::awaitable<void> reload_on(asio::signal_set& signal, Secrets& secrets) {
  for (;;) {
    co_await signal.async_wait(asio::use_awaitable);  // which throws in the end
    secrets.reload();
  }
}

int main(int argc, char** argv) try {
  umask(077);  // what it writes is for its owner alone
  std::signal(SIGPIPE, SIG_IGN);
  const Options options = parse({argv + 1, argv + argc});
  const Log log;
  Secrets secrets(log);
  const bool file = options.database.find("://") == std::string::npos;  // and so one writer at a time
  asio::io_context io(1);
  Recorder recorder(open_store(options.database, Purpose::record));
  std::vector<std::unique_ptr<Store>> stores(file ? 1 : 2);
  for (auto& store : stores) store = open_store(options.database, Purpose::handle);
  Handlers handlers(std::move(stores), log, [](Transaction& db, const std::string&, const std::string& body) {
    handle(db, unwrap(body));
  });

  Webhooks webhooks(options, secrets, recorder, handlers);
  Server server(
      io, log, [&](const Request& header) { return webhooks.check(header); },
      [&](const Request& request) { return webhooks.answer(request); });
  asio::signal_set stop(io, SIGINT, SIGTERM), hangup(io, SIGHUP);
  asio::co_spawn(io, reload_on(hangup, secrets), asio::detached);
  asio::co_spawn(io, stop_on(stop, options.grace, webhooks, server), [&](std::exception_ptr) { hangup.cancel(); });
  const int port = server.listen(options.address, options.port);
  const bool ipv6 = options.address.find(':') != std::string::npos;
  log.print("listening on http://" + (ipv6 ? '[' + options.address + ']' : options.address) + ':' +
            std::to_string(port) + "/webhooks\n");
  handlers.start();  // only now: one that crashes does not keep the port closed
  io.run();
  // Requests in flight have been answered then. The next start handles the events that are left.
} catch (const std::exception& e) {
  std::cerr << "receiver: " << e.what()
            << "\nANTHROPIC_WEBHOOK_SIGNING_KEY_FILE=... receiver [--grace SECONDS] [--save-refused FILE]"
               " [port [database [address]]]\n";
  return 2;
}
