// SPDX-License-Identifier: MIT
// Deliveries per second to one receiver on 32 persistent connections, like those of a proxy, against bare durable
// inserts of the same rows into the same database: one after another on one connection and, for PostgreSQL, with
// 32 clients of its own pgbench. Then the same with another thousand connections idle, and events handled per
// second while none arrive. The sender, the receiver and the database share the machine.
#include "../receiver/databases.hpp"

#include <anthropic/webhooks/verify.hpp>

#include <arpa/inet.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace {

constexpr int connections = 32;
constexpr auto slice = 2s;
constexpr std::size_t rounds = 3;

std::string body_of(const std::string& id) {
  return R"({"id":")" + id +
         R"(","created_at":"2026-03-15T10:00:00Z","data":{"id":"sesn_011CZkZAtmR3yMPDzynEDxu7",)" +
         R"("organization_id":"org_011CZkZZAe0sMna4vkBdtrfx","type":"session.status_idled",)" +
         R"("workspace_id":"wrkspc_011CZkZaBF1tNoB5wlCeusgy"},"type":"event"})";
}

std::string new_id() {
  static std::atomic<long> number{0};
  return "whe_0f1e2d3c4b5a69788796a5b4" + std::to_string(100'000'000 + ++number);
}

/// Repeatedly calls what `make` returns, once per thread, in that many threads. Returns the calls per second.
template <class Make>
double rate(int threads, Make make) {
  std::atomic<long> calls{0};
  std::atomic<bool> stop{false};
  std::vector<std::thread> all;
  const auto begin = std::chrono::steady_clock::now();
  for (int i = 0; i < threads; ++i) {
    all.emplace_back([&] {
      for (auto f = make(); !stop; ++calls) f();
    });
  }
  std::this_thread::sleep_for(slice);
  stop = true;
  for (auto& thread : all) thread.join();
  return static_cast<double>(calls) /
         std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

[[noreturn]] void fail(const std::string& what) {
  std::fprintf(stderr, "receiver_benchmark: %s\n", what.c_str());
  std::_Exit(1);
}

/// A connection that stays open.
class Connection {
 public:
  explicit Connection(int port) : socket_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) fail("no connection");
  }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection() { close(socket_); }

  void deliver(const anthropic::webhooks::WebhookVerifier& signer) const {
    const std::string id = new_id(), body = body_of(id);
    const auto now = std::chrono::system_clock::now();
    const std::string request =
        "POST /webhooks HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        "webhook-id: " +
        id + "\r\nwebhook-timestamp: " + std::to_string(std::chrono::system_clock::to_time_t(now)) +
        "\r\nwebhook-signature: " + signer.sign(id, now, body) +
        "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
    if (send(socket_, request.data(), request.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(request.size())) {
      fail("the connection has ended");
    }
    std::array<char, 512> answer{};
    std::size_t size = 0;
    const std::string end = "recorded " + id + "\n";
    while (size < end.size() || !std::equal(end.begin(), end.end(), &answer[size - end.size()])) {
      const ssize_t got = recv(socket_, &answer[size], answer.size() - size, 0);
      if (got <= 0) fail("the answer is " + std::string(answer.data(), size));
      size += static_cast<std::size_t>(got);
    }
  }

 private:
  int socket_;
};

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

/// Inserts one row after another, and waits for the disk each time.
double one_by_one(const Sqlite& database) {
  sqlite3* opened = nullptr;
  sqlite3_open(database.where().c_str(), &opened);
  const std::unique_ptr<sqlite3, int (*)(sqlite3*)> db(opened, sqlite3_close);
  const char* schema =
      "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
      "CREATE TABLE IF NOT EXISTS bare(id TEXT PRIMARY KEY NOT NULL, body TEXT NOT NULL)";
  if (sqlite3_exec(opened, schema, nullptr, nullptr, nullptr) != SQLITE_OK) fail(sqlite3_errmsg(opened));
  sqlite3_stmt* prepared = nullptr;
  sqlite3_prepare_v2(opened, "INSERT INTO bare VALUES(?, ?)", -1, &prepared, nullptr);
  const std::unique_ptr<sqlite3_stmt, int (*)(sqlite3_stmt*)> statement(prepared, sqlite3_finalize);
  return rate(1, [&] {
    return [&] {
      const std::string id = new_id(), body = body_of(id);
      sqlite3_bind_text(prepared, 1, id.data(), static_cast<int>(id.size()), SQLITE_STATIC);
      sqlite3_bind_text(prepared, 2, body.data(), static_cast<int>(body.size()), SQLITE_STATIC);
      if (sqlite3_step(prepared) != SQLITE_DONE) fail(sqlite3_errmsg(opened));
      sqlite3_reset(prepared);
    };
  });
}

double with_32_clients(const Sqlite&) { return 0; }  // which would wait for each other

#ifdef POSTGRES_BIN
double pgbench(const Postgres& database, int clients) {
  database.query("CREATE TABLE IF NOT EXISTS bare(id text PRIMARY KEY, body bytea NOT NULL)");
  const std::string script = (database.folder.path / "script").string();
  const std::string id = "whe_0f1e2d3c4b5a69788796a5b4", body = body_of(id + "100000000");
  std::ofstream(script) << "\\set n random(100000000, 999999999999)\n"
                        << "INSERT INTO bare VALUES('" << id << "' || :n, '" << body
                        << "') ON CONFLICT DO NOTHING\n";
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(slice).count();
  Process process("",
                  {POSTGRES_BIN "/pgbench", "-n", "-c", std::to_string(clients), "-j", "2", "-T",
                   std::to_string(seconds), "-f", script, database.where()},
                  database.folder.path / "pgbench.log");
  const int status = process.wait();
  const std::string log = process.log();
  const auto at = log.find("tps = ");
  if (status != 0 || at == std::string::npos) fail(log);
  return std::stod(log.substr(at + 6));
}

double one_by_one(const Postgres& database) { return pgbench(database, 1); }
double with_32_clients(const Postgres& database) { return pgbench(database, connections); }
#endif

template <class Database>
void handle_all(const Database& database) {
  const auto end = std::chrono::steady_clock::now() + 3min;
  while (database.query("SELECT count(*) FROM webhook_events WHERE handled_at IS NULL") != "0\n") {
    if (std::chrono::steady_clock::now() > end) fail("some events are not handled");
    std::this_thread::sleep_for(100ms);
  }
}

template <class Database>
void measure(const char* name) {
  const Database database;
  const anthropic::webhooks::WebhookVerifier signer(test_secret);
  const auto in_turn = [&](int port) {
    return [connection = std::make_shared<Connection>(port), &signer] { connection->deliver(signer); };
  };
  std::vector<double> alone, clients, deliveries, beside_idle, handled, to_alone, to_clients;
  for (std::size_t round = 0; round < rounds; ++round) {
    alone.push_back(one_by_one(database));
    clients.push_back(with_32_clients(database));

    {
      const Receiver receiver(database.where(), database.folder.path / "log");
      deliveries.push_back(rate(connections, [&] { return in_turn(receiver.port); }));
      handle_all(database);
    }
    database.query("UPDATE webhook_events SET handled_at = NULL, attempts = 0");
    database.query("VACUUM");
    const Receiver receiver(database.where(), database.folder.path / "log");
    const auto begin = std::chrono::steady_clock::now();
    handle_all(database);
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
    handled.push_back(std::stod(database.query("SELECT count(*) FROM webhook_events")) / took.count());
    database.query("DELETE FROM webhook_events");
    to_alone.push_back(deliveries.back() / alone.back());
    to_clients.push_back(deliveries.back() / clients.back());

    std::vector<std::unique_ptr<Connection>> idle;
    for (int i = 0; i < 1000; ++i) idle.push_back(std::make_unique<Connection>(receiver.port));
    beside_idle.push_back(rate(connections, [&] { return in_turn(receiver.port); }));
    database.query("DELETE FROM webhook_events");
  }
  std::printf("%-11s %12.0f %12.0f %12.0f %12.0f %12.0f %14.2f", name, median(deliveries), median(beside_idle),
              median(handled), median(alone), median(clients), median(to_alone));
  if (median(clients) > 0) std::printf(" %14.2f", median(to_clients));
  std::printf("\n");
}

}  // namespace

int main() {
  rlimit files{};
  getrlimit(RLIMIT_NOFILE, &files);
  const rlimit enough{std::min<rlim_t>(files.rlim_max, 4096), files.rlim_max};
  setrlimit(RLIMIT_NOFILE, &enough);
  std::setvbuf(stdout, nullptr, _IOLBF, BUFSIZ);
  std::printf("%-11s %12s %12s %12s %12s %12s %14s %14s\n", "per second", "deliveries", "beside idle", "handled",
              "1 inserts", "32 insert", "deliveries / 1", "deliveries / 32");
  measure<Sqlite>("SQLite");
#ifdef POSTGRES_BIN
  measure<Postgres>("PostgreSQL");
#else
  std::printf("skipped: PostgreSQL (postgresql and libpq-dev are not installed)\n");
#endif
}
