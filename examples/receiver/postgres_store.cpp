// SPDX-License-Identifier: MIT
// Events in PostgreSQL, for any number of receivers on any number of machines. What it sends may go through a pool
// that gives each transaction another connection: no statement has a name, and settings end with the transaction.
#include "store.hpp"

#include <libpq-fe.h>
#include <poll.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <stdexcept>
#include <thread>
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
      attempts int NOT NULL DEFAULT 0, reason text);  -- why the last one that failed did
    CREATE INDEX IF NOT EXISTS webhook_events_due ON webhook_events(try_at) WHERE handled_at IS NULL;
    CREATE TABLE IF NOT EXISTS notes(event_id text NOT NULL, note text NOT NULL);  -- by handle() in main.cpp
  END IF; END $$)";

// These free events that a machine had locked when it died, or that a handler hangs on.
const char* const begin_with = R"(
  BEGIN; SET LOCAL tcp_keepalives_idle = 5; SET LOCAL tcp_keepalives_interval = 2;
  SET LOCAL tcp_keepalives_count = 3; SET LOCAL idle_in_transaction_session_timeout = '5min';
  SET LOCAL client_min_messages = 'warning'; SET LOCAL statement_timeout = )";

// A 2xx ends the retries, so a commit waits for the disk: that of the server, and of its synchronous standbys if
// it has any. It does so where something was written: a message, even if nothing is inserted, since a standby may
// lack what was inserted before.
const char* const recording =
    "; SET LOCAL synchronous_commit = on; SELECT pg_logical_emit_message(true, 'webhook_events', '')";
const char* const handling = "; SET LOCAL synchronous_commit = on";
const char* const claiming = "; SET LOCAL synchronous_commit = off";  // a claim that is lost is made again

// Events that were tried before are taken one at a time: the one that ends the process shall not take others
// along.
const char* const claim = R"(
  WITH due AS (SELECT id, attempts FROM webhook_events WHERE handled_at IS NULL AND try_at <= now()
    ORDER BY try_at LIMIT $1::text::int FOR UPDATE SKIP LOCKED), first AS (SELECT * FROM due LIMIT 1)
  UPDATE webhook_events event SET attempts = event.attempts + 1,
    try_at = clock_timestamp() + least(1 << least(event.attempts, 12), 3600) * interval '1 second'
  FROM due, first WHERE event.id = due.id AND (due.id = first.id OR due.attempts + first.attempts = 0)
  RETURNING event.id)";

// Others skip the rows until the transaction ends.
const char* const take = R"(
  SELECT id, body FROM webhook_events WHERE id = ANY(string_to_array($1, E'\n')) AND handled_at IS NULL
  FOR UPDATE SKIP LOCKED)";

const char* const mark = R"(
  UPDATE webhook_events SET handled_at = clock_timestamp() WHERE id = ANY(string_to_array($1, E'\n')))";

const char* const give_back = R"(
  UPDATE webhook_events SET attempts = attempts - 1, try_at = received_at
  WHERE id = ANY(string_to_array($1, E'\n')))";

const char* const put_off = R"(
  UPDATE webhook_events SET reason = $1,
    try_at = clock_timestamp() + least(1 << least(attempts - 1, 12), 3600) * interval '1 second'
  WHERE id = $2 AND handled_at IS NULL)";

class PostgresStore final : public Store, private Transaction {
 public:
  PostgresStore(std::string url, Purpose purpose)
      : url_(std::move(url)), limit_(purpose == Purpose::record ? 3s : 30s) {
    check_url();
    if (purpose == Purpose::handle) return;
    try {
      record({});
      execute(claim, {"0"});
    } catch (const std::exception&) {
      // Of the codes in this class are missing rights, tables and columns. What else there is may be well later.
      if (sqlstate_.compare(0, 2, "42") == 0)
        throw std::runtime_error("PostgreSQL: it cannot be used as it is: " + problem_);
    }
  }

  // All insert in the order of the map, so none wait in a circle.
  std::set<std::string> record(const std::map<std::string, std::string>& deliveries) override {
    std::string insert = "INSERT INTO webhook_events(id, body) ";
    Values values;
    for (const auto& [id, body] : deliveries) {
      const auto n = values.size();
      insert += (n ? ",($" : "VALUES($") + std::to_string(n + 1) + "::text,$" + std::to_string(n + 2) + "::bytea)";
      values.insert(values.end(), {id, body});
    }
    if (values.empty()) insert += "SELECT '', ''::bytea WHERE false";
    insert += " ON CONFLICT DO NOTHING RETURNING id";
    for (bool used = connection_ != nullptr;; used = false) {
      try {
        begin(recording);
        const auto ids = execute(insert, values, binary);
        commit();
        return {ids.begin(), ids.end()};
      } catch (...) {
        const bool lost = PQstatus(connection_.get()) != CONNECTION_OK;
        disconnect();
        if (!used || !lost) throw;  // else it was lost since its last use, and may be made again
      }
    }
  }

  bool handle_next(const Handler& handler, const Failed& failed) override {
    Values ids;
    try {
      begin(claiming);
      auto claimed = execute(claim, {std::to_string(batch_)});
      commit();
      ids = std::move(claimed);
      if (!ids.empty()) handle(ids, handler, failed);
    } catch (...) {
      if (ids.size() == 1 && reasons_.empty()) give_up(ids[0], failed);
      disconnect();
      batch_ = 1;
      if (reasons_.empty()) throw;
      begin(claiming);
      commit();
    }
    return !ids.empty();
  }

 private:
  enum Format { text = 0, binary = 1 };

  // A commit takes as long for many events as for one: those whose handlers are fast share a transaction. Their
  // rows are written last, since a repeated delivery waits for one that is.
  void handle(const Values& ids, const Handler& handler, const Failed& failed) {
    begin(handling);
    const auto events = execute(take, {lines(ids)}, binary);
    const auto slow = clock::now() + 20ms;
    Values handled, left;
    for (std::size_t i = 0; i < events.size(); i += 2) {
      if (i > 0 && clock::now() > slow) {
        left.push_back(events[i]);
        continue;
      }
      execute("SAVEPOINT handler");
      try {
        problem_.clear();
        handler(*this, events[i], events[i + 1]);
        if (PQtransactionStatus(connection_.get()) != PQTRANS_INTRANS)
          fail("the handler has left its transaction");
        if (ids.size() == 1) execute("SET CONSTRAINTS ALL IMMEDIATE");  // or the same event may fail each commit
        handled.push_back(events[i]);
      } catch (...) {
        give_up(events[i], failed);
        execute("ROLLBACK TO handler");
      }
    }
    batch_ = clock::now() < slow ? std::min(2 * batch_, 32) : 1;
    if (!handled.empty()) execute(mark, {lines(handled)});
    if (!left.empty()) execute(give_back, {lines(left)});
    commit();
  }

  // In a transaction that has failed, the first error of a statement is the cause of all the others.
  void give_up(const std::string& id, const Failed& failed) {
    const bool in_order = PQtransactionStatus(connection_.get()) == PQTRANS_INTRANS;
    const std::string reason = in_order || problem_.empty() ? current_reason() : "PostgreSQL: " + problem_;
    reasons_.push_back({printable(reason), id});
    failed(id, reason);
  }

  void begin(const std::string& purpose) {
    connect();
    problem_.clear();
    const std::string all = begin_with + std::to_string(limit_.count()) + purpose;
    finish(PQsendQuery(connection_.get(), all.c_str()));
  }

  void commit() {
    for (const auto& reason_and_id : reasons_) execute(put_off, reason_and_id);
    execute("COMMIT");
    reasons_.clear();
    if (std::exchange(alone_, false)) fail("a synchronous standby lacks the commit");
  }

  // No message of libpq's about the URL is shown: it may have parts of the password.
  void check_url() const {
    const std::unique_ptr<PQconninfoOption, void (*)(PQconninfoOption*)> options(
        PQconninfoParse(url_.c_str(), nullptr), PQconninfoFree);
    bool good = options != nullptr;
    for (const auto* o = options.get(); good && o->keyword; ++o) {
      const std::string name = o->keyword, value = o->val ? o->val : "";
      if (name == "host" || name == "dbname") good = value.find('@') == std::string::npos;
      if (name == "port") good = value.find_first_not_of("0123456789,") == std::string::npos;
    }
    if (!good)
      throw std::runtime_error("PostgreSQL: the URL is malformed; in a password, write %40 for @, %2F for /");
  }

  void connect() {
    if (connection_) return;
    if (clock::now() < connect_at_) throw std::runtime_error("PostgreSQL: " + problem_);
    problem_.clear();
    // Of a name that is there twice the last counts, so what the URL says takes precedence.
    const char* const names[] = {"connect_timeout", "target_session_attrs", "dbname", nullptr};
    const char* const values[] = {"3", "read-write", url_.c_str(), nullptr};
    connection_.reset(PQconnectdbParams(names, values, 1));
    connect_at_ = clock::now() + 200ms;
    if (PQstatus(connection_.get()) != CONNECTION_OK) fail(PQerrorMessage(connection_.get()));
    connect_at_ = {};
    PQsetnonblocking(connection_.get(), 1);
    const auto notice = [](void* alone, const PGresult* result) {
      const char* const function = PQresultErrorField(result, PG_DIAG_SOURCE_FUNCTION);
      if (function && std::strcmp(function, "SyncRepWaitForLSN") == 0) *static_cast<bool*>(alone) = true;
    };
    PQsetNoticeReceiver(connection_.get(), notice, &alone_);
    execute(schema);
  }

  // Ends a statement that was given up, in a thread of its own: that too waits for the server.
  void disconnect() {
    if (PQtransactionStatus(connection_.get()) == PQTRANS_ACTIVE) {
      std::thread([given_up = std::move(connection_)] {
        const std::unique_ptr<PGcancel, void (*)(PGcancel*)> cancel(PQgetCancel(given_up.get()), PQfreeCancel);
        char problem[256];
        PQcancel(cancel.get(), problem, sizeof problem);
      }).detach();
    }
    connection_.reset();
  }

  Values run(const std::string& sql, const Values& values) override { return execute(sql, values); }

  // Runs one statement, and returns the values of its rows.
  Values execute(const std::string& sql, const Values& values = {}, Format format = text) {
    std::vector<const char*> data;
    std::vector<int> sizes;
    for (const auto& v : values) {
      if (format == text && v.find('\0') != std::string::npos) fail("a value has a NUL");
      data.push_back(v.c_str());
      sizes.push_back(static_cast<int>(v.size()));
    }
    const std::vector<int> formats(values.size(), format);
    return finish(PQsendQueryParams(connection_.get(), sql.c_str(), static_cast<int>(values.size()), nullptr,
                                    data.data(), sizes.data(), formats.data(), format));
  }

  // Waits for the results of what was sent. PQexec() would wait for ever where a server stops to answer.
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
      if (const char* const state = PQresultErrorField(r, PG_DIAG_SQLSTATE)) sqlstate_ = state;
      for (int i = 0, columns = PQnfields(r); i < PQntuples(r) * columns; ++i) {
        rows.emplace_back(PQgetvalue(r, i / columns, i % columns), PQgetlength(r, i / columns, i % columns));
      }
    }
    if (!problem.empty()) fail(problem);
    return rows;
  }

  [[noreturn]] void fail(std::string message) {
    std::replace(message.begin(), message.end(), '\n', ' ');
    if (problem_.empty()) problem_ = message;
    throw std::runtime_error("PostgreSQL: " + message);
  }

  static std::string lines(const Values& values) {
    std::string all;
    for (const auto& value : values) all += value + '\n';
    return all;
  }

  const std::string url_;
  const std::chrono::milliseconds limit_;  // of a statement
  std::string problem_, sqlstate_;         // the first error of a transaction, and the code of the last
  bool alone_ = false;                     // a commit did not wait for the standby until the end
  int batch_ = 1;                          // events to take at a time
  std::vector<Values> reasons_;            // and ids, to be written with the next commit
  clock::time_point connect_at_;           // the earliest time for it
  std::unique_ptr<PGconn, void (*)(PGconn*)> connection_{nullptr, PQfinish};
};

}  // namespace

std::unique_ptr<Store> open_postgres(const std::string& url, Purpose purpose) {
  return std::make_unique<PostgresStore>(url, purpose);
}
