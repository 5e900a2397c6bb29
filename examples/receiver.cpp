// SPDX-License-Identifier: MIT
// A receiver that loses no event: POST /webhooks, verify, record by event id, answer; then handle.
//   ANTHROPIC_WEBHOOK_SIGNING_KEY=whsec_... receiver [port [database [address]]]
// While secrets are rotated, name each, with a comma between them. Port 0 is any free port.
// It belongs behind a reverse proxy, which does the TLS and cuts off clients that are slow or never end.
#include <anthropic/webhooks/verify.hpp>

#include <httplib.h>
#include <sqlite3.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <future>
#include <iostream>
#include <memory>
#include <mutex>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

using namespace anthropic::webhooks;
using namespace std::chrono_literals;

constexpr const char* schema = R"(
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = FULL;  -- a 2xx ends the retries, so the event must survive a power cut from then on
  CREATE TABLE IF NOT EXISTS events(
    id TEXT PRIMARY KEY NOT NULL, type TEXT NOT NULL, created_at TEXT NOT NULL, body TEXT NOT NULL,
    received_at TEXT NOT NULL, handled_at TEXT);
  CREATE INDEX IF NOT EXISTS unhandled ON events(handled_at) WHERE handled_at IS NULL;
  CREATE TABLE IF NOT EXISTS notes(event_id TEXT NOT NULL, note TEXT NOT NULL);
)";

std::atomic<bool> stopping{false};

void log(std::string line) {
  for (char& c : line) c = c >= ' ' && c <= '~' ? c : '?';  // the sender has a say in it
  const auto now = std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now());
  std::cout << format_timestamp(now) + ' ' + line.substr(0, 400) + '\n' << std::flush;
}

void handle(class Database& db, const UnwrapWebhookEvent& event);

// One connection, and a mutex for it: a delivery waits for the disk, not for another connection.
class Database {
 public:
  explicit Database(const std::string& path) {
    sqlite3* opened = nullptr;
    const int status = sqlite3_open(path.c_str(), &opened);
    db_.reset(opened);
    check(status);
    sqlite3_busy_timeout(opened, 5000);  // another process may have the file open too, such as the sqlite3 shell
    check(sqlite3_exec(opened, schema, nullptr, nullptr, nullptr));
  }

  // Returns whether the event is new. Its id, in the signed body, is the same however often and wherever it is
  // sent; the header webhook-id names only a message, and is the same over the retries of that.
  bool record(const UnwrapWebhookEvent& event, std::string_view body) {
    const std::lock_guard lock(mutex_);
    const char* insert =
        "INSERT INTO events VALUES(?, ?, ?, ?, datetime('now'), NULL) ON CONFLICT DO NOTHING RETURNING 1";
    return !run(insert, {event.id, event_type(event.data), format_timestamp(event.created_at), body}).empty();
  }

  // Handles what is recorded but not handled, also by an earlier process: each event once, in one transaction.
  void handle_recorded() {
    for (std::string row = "0", before; row != before && !stopping; std::this_thread::sleep_for(1ms)) {
      const std::lock_guard lock(mutex_);  // it is not fair, hence the break: deliveries come first
      before = row;
      try {
        run("BEGIN IMMEDIATE");
        const auto next =
            run("UPDATE events SET handled_at = datetime('now') WHERE rowid = (SELECT min(rowid) FROM events"
                " WHERE handled_at IS NULL AND rowid > CAST(? AS INTEGER)) RETURNING rowid, body",
                {row});
        if (!next.empty()) {
          row = next[0];
          handle(*this, unwrap(next[1]));
        }
        run("COMMIT");
      } catch (const std::exception& e) {
        sqlite3_exec(db_.get(), "ROLLBACK", nullptr, nullptr, nullptr);
        log("row " + row + " not handled: " + e.what());
      }
    }
  }

  // Runs one statement to its end, and returns its first row; an empty one if there is none.
  std::vector<std::string> run(const char* sql, const std::vector<std::string_view>& values = {}) {
    sqlite3_stmt* prepared = nullptr;
    check(sqlite3_prepare_v2(db_.get(), sql, -1, &prepared, nullptr));
    const std::unique_ptr<sqlite3_stmt, int (*)(sqlite3_stmt*)> statement(prepared, sqlite3_finalize);
    int status = 0, index = 0;
    for (const auto v : values) {
      check(sqlite3_bind_text(prepared, ++index, v.data(), static_cast<int>(v.size()), SQLITE_STATIC));
    }
    std::vector<std::string> row;
    while ((status = sqlite3_step(prepared)) == SQLITE_ROW) {
      for (int i = static_cast<int>(row.size()); i < sqlite3_column_count(prepared); ++i) {
        const auto* text = static_cast<const char*>(sqlite3_column_blob(prepared, i));
        row.emplace_back(text, text + sqlite3_column_bytes(prepared, i));
      }
    }
    check(status == SQLITE_DONE ? SQLITE_OK : status);
    return row;
  }

 private:
  void check(int status) const {
    if (status != SQLITE_OK) throw std::runtime_error(std::string("database: ") + sqlite3_errmsg(db_.get()));
  }
  std::unique_ptr<sqlite3, int (*)(sqlite3*)> db_{nullptr, sqlite3_close};
  std::mutex mutex_;
};

// Replace this with your own work. It runs in the transaction that marks the event as handled, so what it writes
// to the database is there exactly once, whatever crashes when. If it throws, it is called again a second later.
// Deliveries wait for it, so leave slow work, and work elsewhere, to a job that reads what is written here.
void handle(Database& db, const UnwrapWebhookEvent& event) {
  const auto idle = [](const BetaWebhookSessionStatusIdledEventData& e) { return "session " + e.id + " is idle"; };
  const auto other = [](const auto& e) { return std::string(e.type) + ' ' + e.id; };
  const std::string note = std::visit(overloaded{idle, other}, event.data);
  db.run("INSERT INTO notes VALUES(?, ?)", {event.id, note});
}

void answer(const httplib::Request& request, httplib::Response& response, int status, const std::string& text) {
  response.status = status;
  response.set_content(text + '\n', "text/plain");
  log(std::to_string(status) + ' ' + request.method + ' ' + request.path + "  " + text);
}

int main(int argc, char** argv) try {
  const int port = argc > 1 ? std::stoi(argv[1]) : 8080;
  const std::string path = argc > 2 ? argv[2] : "webhooks.db", address = argc > 3 ? argv[3] : "127.0.0.1";
  const char* key = std::getenv("ANTHROPIC_WEBHOOK_SIGNING_KEY");
  std::istringstream keys(key ? key : "");
  std::vector<std::string> secrets;
  for (std::string secret; std::getline(keys, secret, ',');) {
    if (secret.compare(0, 6, "whsec_") != 0) throw std::runtime_error("webhook secret: each starts with whsec_");
    secrets.push_back(secret);
  }
  const WebhookVerifier verifier(secrets);
  Database db(path);

  httplib::Server server;
  server.new_task_queue = [] { return new httplib::ThreadPool(32); };
  server.set_keep_alive_max_count(1);  // an idle connection would keep a thread from others
  server.set_socket_options([](auto socket) {
    const int yes = 1;  // not SO_REUSEPORT, the default: a second receiver would share the port
    setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  });
  server.set_pre_routing_handler([](const auto& request, auto& response) {
    const bool here = request.path == "/webhooks";
    if (here && request.method == "POST") return httplib::Server::HandlerResponse::Unhandled;
    if (here) response.set_header("Allow", "POST");
    answer(request, response, here ? 405 : 404, "only POST /webhooks");
    return httplib::Server::HandlerResponse::Handled;
  });
  server.Post("/webhooks", [&](const httplib::Request& request, auto& response, const auto& read) {
    constexpr std::size_t limit = 1 << 20;
    const auto deadline = std::chrono::steady_clock::now() + 30s;
    std::string body;
    const bool whole = !request.is_multipart_form_data() && read([&](const char* data, std::size_t size) {
      body.append(data, body.size() > limit ? 0 : size);  // the rest is read too, so that the sender gets its 413
      return std::chrono::steady_clock::now() < deadline;
    });
    if (body.size() > limit) return answer(request, response, 413, "the body is too large");
    if (!whole) return answer(request, response, 400, "the body is incomplete");
    try {
      const auto event = verifier.unwrap(body, webhook_headers(request.headers));
      const char* outcome = db.record(event, body) ? "recorded " : "duplicate ";
      answer(request, response, 200, outcome + event.id + ' ' + std::string(event_type(event.data)));
    } catch (const WebhookError& e) {
      answer(request, response, e.http_status(), e.what());
    } catch (const std::exception& e) {
      answer(request, response, 503, e.what());  // the service sends it again
    }
  });
  const int bound = port == 0 ? server.bind_to_any_port(address) : server.bind_to_port(address, port) ? port : -1;
  if (bound < 0 || port > 65535) throw std::runtime_error("cannot listen on port " + std::to_string(port));
  for (const int signal : {SIGINT, SIGTERM}) std::signal(signal, [](int) { stopping = true; });
  std::cout << "listening on http://" << address << ':' << bound << "/webhooks" << std::endl;
  auto listening = std::async(std::launch::async, [&] { return server.listen_after_bind(); });
  db.handle_recorded();
  while (!stopping && listening.wait_for(1s) == std::future_status::timeout) db.handle_recorded();
  while (!server.is_running() && listening.wait_for(1ms) == std::future_status::timeout) continue;
  server.stop();
  const int status = listening.get() ? 0 : 1;  // waits until what is in flight is answered
  stopping = false;                            // a second signal ends the following
  db.handle_recorded();
  return status;
} catch (const std::exception& e) {
  std::cerr << "receiver: " << e.what()
            << "\nANTHROPIC_WEBHOOK_SIGNING_KEY=... receiver [port [database [address]]]\n";
  return 2;
}
