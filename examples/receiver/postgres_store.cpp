// SPDX-License-Identifier: MIT
// Events in PostgreSQL, for any number of receivers on any number of machines.
#include "store.hpp"

#include <libpq-fe.h>
#include <poll.h>

#include <algorithm>
#include <chrono>
#include <stdexcept>
#include <utility>

namespace {

using namespace std::chrono_literals;
using clock = std::chrono::steady_clock;

// A receiver needs no right to make tables that are there. The lock is for receivers that start at the same time.
const char* const schema = R"(
  DO $$ BEGIN IF to_regclass('webhook_events') IS NULL THEN
    PERFORM pg_advisory_xact_lock(hashtext('webhook_events'));
    CREATE TABLE IF NOT EXISTS webhook_events(
      id text PRIMARY KEY,  -- the webhook-id
      body bytea NOT NULL,  -- as received; to read it: convert_from(body, 'UTF8')
      received_at timestamptz NOT NULL DEFAULT now(), handled_at timestamptz,
      try_at timestamptz NOT NULL DEFAULT clock_timestamp(),
      attempts int NOT NULL DEFAULT 0, reason text);  -- those that failed, and why the last did
    CREATE INDEX IF NOT EXISTS webhook_events_due ON webhook_events(try_at) WHERE handled_at IS NULL;
    CREATE TABLE IF NOT EXISTS notes(event_id text NOT NULL, note text NOT NULL);  -- by handle() in main.cpp
  END IF; END $$)";

const char* const settings = R"(
  SELECT set_config(name, value, false) FROM (VALUES ('synchronous_commit', 'on'), ('statement_timeout', $1),
    ('tcp_keepalives_idle', '5'), ('tcp_keepalives_interval', '2'), ('tcp_keepalives_count', '3'),
    ('idle_in_transaction_session_timeout', '5min'), ('client_min_messages', 'warning')) AS setting(name, value))";

// Others skip the rows until the transaction ends, and take them if the connection breaks.
const char* const take = R"(
  SELECT id, body FROM webhook_events WHERE handled_at IS NULL AND try_at <= now() ORDER BY try_at
  LIMIT $1::text::int FOR UPDATE SKIP LOCKED)";

const char* const mark = R"(
  UPDATE webhook_events SET handled_at = clock_timestamp() WHERE id = ANY(string_to_array($1, E'\n')))";

const char* const try_later = R"(
  UPDATE webhook_events SET attempts = attempts + 1, reason = $1,
    try_at = clock_timestamp() + least(1 << least(attempts, 12), 3600) * interval '1 second' WHERE id = $2)";

class PostgresStore final : public Store, private Transaction {
 public:
  PostgresStore(std::string url, Purpose purpose)
      : url_(std::move(url)), limit_(purpose == Purpose::record ? 3s : 30s) {
    char* problem = nullptr;
    const std::unique_ptr<PQconninfoOption, void (*)(PQconninfoOption*)> options(
        PQconninfoParse(url_.c_str(), &problem), PQconninfoFree);
    const std::unique_ptr<char, void (*)(void*)> message(problem, PQfreemem);
    if (!options) fail(problem ? problem : "out of memory");
  }

  // One statement, a transaction of its own. All insert in the order of the map, so none wait in a circle.
  std::set<std::string> record(const std::map<std::string, std::string>& deliveries) override {
    std::string insert = "INSERT INTO webhook_events(id, body) VALUES";
    Values values;
    for (const auto& [id, body] : deliveries) {
      const auto n = values.size();
      insert += (n ? ",($" : "($") + std::to_string(n + 1) + "::text,$" + std::to_string(n + 2) + "::bytea)";
      values.insert(values.end(), {id, body});
    }
    for (bool used = connection_ != nullptr;; used = false) {
      try {
        connect();
        const auto ids = execute(insert + " ON CONFLICT DO NOTHING RETURNING id", values, binary);
        return {ids.begin(), ids.end()};
      } catch (...) {
        const bool lost = PQstatus(connection_.get()) != CONNECTION_OK;
        connection_.reset();
        if (!used || !lost) throw;  // else it was lost since its last use, and may be made again
      }
    }
  }

  // A commit takes as long for many events as for one: those whose handlers are fast share a transaction. Their
  // rows are written last, since a repeated delivery waits for one that is.
  bool handle_next(const Handler& handler, const Failed& failed) override {
    try {
      connect();
      execute("BEGIN");
      const auto events = execute(take, {std::to_string(batch_)}, binary);
      const auto begin = clock::now();
      std::string handled;
      std::vector<Values> not_handled;
      for (std::size_t i = 0; i < events.size(); i += 2) {
        execute("SAVEPOINT handler");
        try {
          handler(*this, events[i], events[i + 1]);
          if (PQtransactionStatus(connection_.get()) == PQTRANS_INERROR) fail("a statement of the handler failed");
          if (batch_ == 1) execute("SET CONSTRAINTS ALL IMMEDIATE");  // or the same event may fail each commit
          handled += events[i] + '\n';
        } catch (...) {
          const std::string reason = current_reason();
          failed(events[i], reason);
          execute("ROLLBACK TO handler");
          not_handled.push_back({printable(reason), events[i]});
        }
      }
      batch_ = clock::now() - begin < 20ms ? std::min(2 * batch_, 32) : 1;
      if (!handled.empty()) execute(mark, {handled});
      for (const auto& reason_and_id : not_handled) execute(try_later, reason_and_id);
      execute("COMMIT");
      return !events.empty();
    } catch (...) {
      connection_.reset();  // which ends the transaction
      batch_ = 1;
      throw;
    }
  }

 private:
  enum Format { text = 0, binary = 1 };
  Values run(const std::string& sql, const Values& values) override { return execute(sql, values); }

  void connect() {
    if (connection_) return;
    if (clock::now() < connect_at_) throw std::runtime_error(problem_);
    connect_at_ = clock::now() + 1s;
    // Of a name that is there twice the last counts, so what the URL says takes precedence.
    const char* const names[] = {"connect_timeout", "dbname", nullptr};
    const char* const values[] = {"3", url_.c_str(), nullptr};
    prepared_.clear();
    connection_.reset(PQconnectdbParams(names, values, 1));
    if (PQstatus(connection_.get()) != CONNECTION_OK) fail(PQerrorMessage(connection_.get()));
    PQsetnonblocking(connection_.get(), 1);
    // A 2xx ends the retries, so a commit waits for the disk: that of the server, and of its synchronous standbys
    // if it has any. The others free events that a machine had locked when it died, or that a handler hangs on.
    execute(settings, {std::to_string(limit_.count())});
    execute(schema);
  }

  // Runs one statement, which is prepared at its first use, and returns the values of its rows.
  Values execute(const std::string& sql, const Values& values = {}, Format format = text) {
    PGconn* const c = connection_.get();
    std::vector<const char*> data;
    std::vector<int> sizes;
    for (const auto& v : values) {
      data.push_back(v.c_str());
      sizes.push_back(static_cast<int>(v.size()));
    }
    auto known = prepared_.find(sql);
    if (known == prepared_.end()) {
      finish(PQsendPrepare(c, std::to_string(prepared_.size()).c_str(), sql.c_str(), 0, nullptr));
      known = prepared_.emplace(sql, std::to_string(prepared_.size())).first;
    }
    return finish(PQsendQueryPrepared(c, known->second.c_str(), static_cast<int>(values.size()), data.data(),
                                      sizes.data(), std::vector<int>(values.size(), format).data(), format));
  }

  // Waits for the result of what was sent. PQexec() would wait for ever where a server stops to answer.
  Values finish(int sent) {
    PGconn* const c = connection_.get();
    if (!sent) fail(PQerrorMessage(c));
    const auto end = clock::now() + limit_ + 1s;  // the server's own limit comes first
    Values rows;
    std::string problem;
    for (;;) {
      for (int unsent = 0; (unsent = PQflush(c)) != 0 || PQisBusy(c);) {
        if (clock::now() > end) fail("it does not answer");
        pollfd wanted{PQsocket(c), static_cast<short>(unsent != 0 ? POLLIN | POLLOUT : POLLIN), 0};
        poll(&wanted, 1, 100);
        if (unsent < 0 || !PQconsumeInput(c)) fail(PQerrorMessage(c));
      }
      const std::unique_ptr<PGresult, void (*)(PGresult*)> result(PQgetResult(c), PQclear);
      if (!result) break;
      const PGresult* const r = result.get();
      problem += PQresultErrorMessage(r);  // "" where there is none
      for (int i = 0, columns = PQnfields(r); i < PQntuples(r) * columns; ++i) {
        rows.emplace_back(PQgetvalue(r, i / columns, i % columns), PQgetlength(r, i / columns, i % columns));
      }
    }
    if (!problem.empty()) fail(problem);
    return rows;
  }

  [[noreturn]] void fail(const std::string& message) {
    problem_ = "PostgreSQL: " + message;
    std::replace(problem_.begin(), problem_.end(), '\n', ' ');
    throw std::runtime_error(problem_);
  }

  std::string url_, problem_;
  std::chrono::milliseconds limit_;              // of a statement
  int batch_ = 1;                                // events to take at a time
  clock::time_point connect_at_;                 // the earliest time for it
  std::map<std::string, std::string> prepared_;  // names of statements
  std::unique_ptr<PGconn, void (*)(PGconn*)> connection_{nullptr, PQfinish};
};

}  // namespace

std::unique_ptr<Store> open_postgres(const std::string& url, Purpose purpose) {
  return std::make_unique<PostgresStore>(url, purpose);
}
