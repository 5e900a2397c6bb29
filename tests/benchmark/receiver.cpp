// SPDX-License-Identifier: MIT
// Deliveries a second of one receiver, with 32 connections at a time, against what the database itself does: inserts
// of the same rows, each durable before the next of its connection.
#include "../receiver/databases.hpp"

#include <anthropic/webhooks/verify.hpp>

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <string>
#include <thread>
#include <vector>

namespace {

using clock_type = std::chrono::steady_clock;
constexpr int connections = 32;
constexpr auto slice = 2s;
constexpr std::size_t rounds = 3;

std::string body_of(const std::string& id) {
  return R"({"id":")" + id + R"(","created_at":"2026-03-15T10:00:00Z","data":{"id":"sesn_011CZkZAtmR3yMPDzynEDxu7",)" +
         R"("organization_id":"org_011CZkZZAe0sMna4vkBdtrfx","type":"session.status_idled",)" +
         R"("workspace_id":"wrkspc_011CZkZaBF1tNoB5wlCeusgy"},"type":"event"})";
}

std::string new_id() {
  static std::atomic<long> number{0};
  return "whe_0f1e2d3c4b5a69788796a5b4" + std::to_string(100'000'000 + ++number);
}

/// Calls `f` in as many threads, again and again, and returns the calls a second.
template <class MakeF>
double rate(int threads, MakeF make) {
  std::atomic<long> calls{0};
  std::atomic<int> ready{0};
  std::atomic<bool> start{false}, stop{false};
  std::vector<std::thread> all;
  for (int i = 0; i < threads; ++i) {
    all.emplace_back([&] {
      auto f = make();
      ++ready;
      while (!start) std::this_thread::yield();
      while (!stop) f(), ++calls;
    });
  }
  while (ready < threads) std::this_thread::yield();
  const auto begin = clock_type::now();
  start = true;
  std::this_thread::sleep_for(slice);
  const auto done = static_cast<double>(calls.load());
  const std::chrono::duration<double> took = clock_type::now() - begin;
  stop = true;
  for (auto& thread : all) thread.join();
  return done / took.count();
}

[[noreturn]] void fail(const std::string& what) {
  std::fprintf(stderr, "receiver_benchmark: %s\n", what.c_str());
  std::_Exit(1);
}

void deliver(int port, const anthropic::webhooks::WebhookVerifier& signer) {
  const std::string id = new_id(), body = body_of(id);
  const auto now = std::chrono::system_clock::now();
  const std::string request = "POST /webhooks HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                              "webhook-id: " + id + "\r\nwebhook-timestamp: " +
                              std::to_string(std::chrono::system_clock::to_time_t(now)) + "\r\nwebhook-signature: " +
                              signer.sign(id, now, body) + "\r\nContent-Length: " + std::to_string(body.size()) +
                              "\r\n\r\n" + body;
  const int s = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  std::array<char, 512> answer{};
  if (connect(s, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      send(s, request.data(), request.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(request.size())) {
    fail("no connection");
  }
  std::size_t size = 0;
  for (ssize_t got = 0; (got = recv(s, &answer[size], answer.size() - size, 0)) > 0;) size += static_cast<std::size_t>(got);
  close(s);
  const std::string text(answer.data(), size);
  if (text.compare(0, 13, "HTTP/1.1 200 ") != 0) fail("the answer is " + text);
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

auto bare_inserts(const Sqlite& database) {
  return [&database] {
    sqlite3* opened = nullptr;
    sqlite3_open(database.where().c_str(), &opened);
    std::shared_ptr<sqlite3> db(opened, sqlite3_close);
    const char* schema = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
                         "CREATE TABLE IF NOT EXISTS bare(id TEXT PRIMARY KEY NOT NULL, body TEXT NOT NULL)";
    if (sqlite3_exec(opened, schema, nullptr, nullptr, nullptr) != SQLITE_OK) fail(sqlite3_errmsg(opened));
    sqlite3_stmt* prepared = nullptr;
    sqlite3_prepare_v2(opened, "INSERT INTO bare VALUES(?, ?)", -1, &prepared, nullptr);
    std::shared_ptr<sqlite3_stmt> statement(prepared, sqlite3_finalize);
    return [db, statement] {
      const std::string id = new_id(), body = body_of(id);
      sqlite3_bind_text(statement.get(), 1, id.data(), static_cast<int>(id.size()), SQLITE_STATIC);
      sqlite3_bind_text(statement.get(), 2, body.data(), static_cast<int>(body.size()), SQLITE_STATIC);
      if (sqlite3_step(statement.get()) != SQLITE_DONE) fail(sqlite3_errmsg(db.get()));
      sqlite3_reset(statement.get());
    };
  };
}

#ifdef WITH_POSTGRES
auto bare_inserts(const Postgres& database) {
  database.query("CREATE TABLE IF NOT EXISTS bare(id text PRIMARY KEY, body bytea NOT NULL)");
  return [&database] {
    std::shared_ptr<PGconn> connection(PQconnectdb(database.where().c_str()), PQfinish);
    PQclear(PQprepare(connection.get(), "insert", "INSERT INTO bare VALUES($1, $2)", 2, nullptr));
    return [connection] {
      const std::string id = new_id(), body = body_of(id);
      const char* const values[] = {id.c_str(), body.c_str()};
      const int sizes[] = {static_cast<int>(id.size()), static_cast<int>(body.size())}, formats[] = {0, 1};
      const std::unique_ptr<PGresult, void (*)(PGresult*)> result(
          PQexecPrepared(connection.get(), "insert", 2, values, sizes, formats, 0), PQclear);
      if (PQresultStatus(result.get()) != PGRES_COMMAND_OK) fail(PQerrorMessage(connection.get()));
    };
  };
}
#endif

template <class Database>
void measure(const char* name, int bare_connections) {
  const Database database;
  const anthropic::webhooks::WebhookVerifier signer(test_secret);
  std::vector<double> bare, one, deliveries, ratios, handled;
  for (std::size_t round = 0; round < rounds; ++round) {
    bare.push_back(rate(bare_connections, bare_inserts(database)));
    if (bare_connections > 1) one.push_back(rate(1, bare_inserts(database)));
    Receiver receiver(database.where(), "/tmp/wtr/bench.log");
    const auto begin = clock_type::now();
    deliveries.push_back(rate(connections, [&] { return [&] { deliver(receiver.port, signer); }; }));
    ratios.push_back(deliveries.back() / bare.back());
    const auto count = [&](const char* what) {
      return std::stod(database.query(std::string("SELECT count(*) FROM webhook_events WHERE ") + what));
    };
    const double all = count(round == 0 ? "handled_at IS NULL OR true" : "handled_at IS NULL");
    (void)all;
    if (!eventually([&] { return count("handled_at IS NULL") == 0; })) fail("events are not handled");
    handled.push_back(count("true") / std::chrono::duration<double>(clock_type::now() - begin).count());
    database.query("DELETE FROM webhook_events");
  }
  std::printf("%-12s %14.0f", name, median(bare));
  if (one.empty()) {
    std::printf(" %14s", "");
  } else {
    std::printf(" %14.0f", median(one));
  }
  std::printf(" %14.0f %14.2f %14.0f\n", median(deliveries), median(ratios), median(handled));
}

}  // namespace

int main() {
  std::setvbuf(stdout, nullptr, _IOLBF, BUFSIZ);
  std::printf("%-12s %14s %14s %14s %14s %14s\n", "a second", "bare inserts", "on one conn.", "deliveries", "ratio",
              "also handled");
  measure<Sqlite>("SQLite", 1);
#ifdef WITH_POSTGRES
  measure<Postgres>("PostgreSQL", connections);
#endif
}
