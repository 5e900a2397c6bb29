// SPDX-License-Identifier: MIT
// A receiver that loses no event which it has accepted. It verifies and records each POST to /webhooks, answers,
// and handles the event after that.
//   ANTHROPIC_WEBHOOK_SIGNING_KEY=whsec_... receiver [options] [port [database [address]]]
// The database is a file for SQLite, or a postgresql:// URL, which any number of receivers may share. Port 0 is
// any free port. While secrets are rotated, name each, with a comma between them. Options:
//   --share-port         lets a new receiver with this option take over the port while this one still answers
//   --save-refused FILE  keeps the last request that was answered with 401, with its body, for diagnosis
// It belongs behind a reverse proxy, which does the TLS.
#include "server.hpp"
#include "threads.hpp"

#include <anthropic/webhooks/verify.hpp>

#include <fcntl.h>

#include <atomic>
#include <charconv>
#include <csignal>
#include <cstdlib>
#include <future>
#include <iostream>
#include <mutex>
#include <sstream>

using namespace anthropic::webhooks;
using namespace std::chrono_literals;

std::atomic<bool> stopping{false};

// Replace this with your own work. store.hpp says what it can rely on.
void handle(Transaction& db, const UnwrapWebhookEvent& event) {
  const auto idle = [](const BetaWebhookSessionStatusIdledEventData& e) { return "session " + e.id + " is idle"; };
  const auto other = [](const auto& e) { return std::string(e.type) + ' ' + e.id; };
  const std::string note = std::visit(overloaded{idle, other}, event.data);
  db.run("INSERT INTO notes VALUES($1, $2)", {event.id, note});
}

void log(const std::string& line) {
  const auto now = std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now());
  std::cout << format_timestamp(now) + ' ' + printable(line).substr(0, 400) + '\n' << std::flush;
}

std::unique_ptr<Store> open_store(const std::string& database, Purpose purpose) {
  if (database.find("://") == std::string::npos) return open_sqlite(database, purpose);
#ifdef WITH_POSTGRES
  return open_postgres(database, purpose);
#else
  throw std::runtime_error("built without PostgreSQL");
#endif
}

// Saves header lines, an empty line and the body, for the owner alone to read: little more than a megabyte.
void save(const std::string& path, const httplib::Headers& headers, const std::string& body) {
  static std::mutex one_at_a_time;
  const std::lock_guard lock(one_at_a_time);
  std::string text;
  for (const auto& [name, value] : headers) {
    const bool added_by_httplib = name.find('_') != std::string::npos;
    if (added_by_httplib || value.find_first_of("\r\n") != std::string::npos || text.size() > 65536) continue;
    text.append(name).append(": ").append(value).append("\n");
  }
  text.append("\n").append(body);
  const std::string unfinished = path + ".part";
  std::remove(unfinished.c_str());
  const int file = open(unfinished.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  const bool good = file >= 0 && write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  if (file >= 0) close(file);
  if (!good || std::rename(unfinished.c_str(), path.c_str()) != 0) log("cannot save the request in " + path);
}

void answer(const httplib::Request& request, httplib::Response& response, int status, const std::string& text,
            const std::string& for_the_log = "") {
  response.status = status;
  response.set_content(text + '\n', "text/plain");
  log(std::to_string(status) + ' ' + request.method + ' ' + request.path + "  " + text + for_the_log);
}

struct Options {
  bool share_port = false;
  std::string save_refused, database = "webhooks.db", address = "127.0.0.1";
  int port = 8080;
};

Options parse(std::vector<std::string> arguments) {
  Options options;
  std::vector<std::string> rest;
  for (auto at = arguments.begin(); at != arguments.end(); ++at) {
    if (*at == "--share-port") {
      options.share_port = true;
    } else if (*at == "--save-refused" && at + 1 != arguments.end()) {
      options.save_refused = *++at;
    } else if (at->compare(0, 2, "--") == 0 || rest.size() == 3) {
      throw std::runtime_error("unknown argument: " + *at);
    } else {
      rest.push_back(*at);
    }
  }
  if (!rest.empty()) {
    const auto* const end = rest[0].data() + rest[0].size();
    const auto [last, error] = std::from_chars(rest[0].data(), end, options.port);
    if (error != std::errc() || last != end || options.port < 0 || options.port > 65535) {
      throw std::runtime_error("not a port: " + rest[0]);
    }
  }
  if (rest.size() > 1) options.database = rest[1];
  if (rest.size() > 2) options.address = rest[2];
  return options;
}

std::vector<std::string> secrets() {
  const char* key = std::getenv("ANTHROPIC_WEBHOOK_SIGNING_KEY");
  std::istringstream keys(key ? key : "");
  std::vector<std::string> result;
  for (std::string secret; std::getline(keys, secret, ',');) {
    if (secret.compare(0, 6, "whsec_") != 0) throw std::runtime_error("webhook secret: each starts with whsec_");
    result.push_back(secret);
  }
  return result;
}

int main(int argc, char** argv) try {
  const Options options = parse({argv + 1, argv + argc});
  const WebhookVerifier verifier(secrets());
  const bool file = options.database.find("://") == std::string::npos;  // and so one writer at a time

  Recorder recorder(open_store(options.database, Purpose::record));
  std::vector<std::unique_ptr<Store>> stores(file ? 1 : 2);
  for (auto& store : stores) store = open_store(options.database, Purpose::handle);
  const auto handle_body = [](Transaction& db, const std::string& id, const std::string& body) {
    try {
      handle(db, unwrap(body));
    } catch (const std::exception& e) {
      log("not handled: " + id + ": " + e.what());
      throw;
    }
  };
  Handlers handlers(std::move(stores), handle_body, log);

  Server server;
  server.new_task_queue = [] { return new httplib::ThreadPool(32); };
  server.set_pre_routing_handler([](const auto& request, auto& response) {
    const bool here = request.path == "/webhooks";
    if (here && request.method == "POST") return httplib::Server::HandlerResponse::Unhandled;
    if (here) response.set_header("Allow", "POST");
    answer(request, response, here ? 405 : 404, "only POST /webhooks");
    return httplib::Server::HandlerResponse::Handled;
  });
  server.Post("/webhooks", [&](const httplib::Request& request, auto& response, const auto& read) {
    constexpr std::size_t limit = 1 << 20;
    std::string body;
    const bool whole = !request.is_multipart_form_data() && read([&](const char* data, std::size_t size) {
      body.append(data, body.size() > limit ? 0 : size);  // the rest is read too, so that the sender gets its 413
      return true;
    });
    if (body.size() > limit) return answer(request, response, 413, "the body is too large");
    if (!whole) return answer(request, response, 400, "the body is incomplete");
    try {
      verifier.verify(body, request.headers);
    } catch (const WebhookError& e) {
      if (!options.save_refused.empty()) save(options.save_refused, request.headers, body);
      return answer(request, response, 401, e.what());
    }
    const std::string id = printable(std::string(webhook_headers(request.headers).id));
    if (id.size() > 1000) return answer(request, response, 431, "the webhook-id is too long");
    try {
      const bool is_new = recorder.record(id, body);
      handlers.wake();
      WebhookError error;
      const auto event = try_unwrap(body, error);
      answer(request, response, 200, (is_new ? "recorded " : "duplicate ") + id + ' ',
             event ? std::string(event_type(event->data)) : std::string("not understood: ") + error.what());
    } catch (const std::exception& e) {
      answer(request, response, 503, "not recorded", std::string(": ") + e.what());  // the service sends it again
    }
  });

  for (const int signal : {SIGINT, SIGTERM}) std::signal(signal, [](int) { stopping = true; });
  const int port = server.listen_on(options.address, options.port, options.share_port);
  const bool ipv6 = options.address.find(':') != std::string::npos;
  std::cout << "listening on http://" << (ipv6 ? '[' + options.address + ']' : options.address) << ':' << port
            << "/webhooks" << std::endl;
  auto listening = std::async(std::launch::async, [&] { return server.listen_after_bind(); });
  while (!stopping && listening.wait_for(100ms) == std::future_status::timeout) continue;
  while (!server.is_running() && listening.wait_for(1ms) == std::future_status::timeout) continue;
  server.finish();
  // Requests in flight have been answered then. The next start handles the events that are left.
  return listening.get() ? 0 : 1;
} catch (const std::exception& e) {
  std::cerr << "receiver: " << e.what()
            << "\nANTHROPIC_WEBHOOK_SIGNING_KEY=... receiver [--share-port] [--save-refused FILE]"
               " [port [database [address]]]\n";
  return 2;
}
