// SPDX-License-Identifier: MIT
// A connection to PostgreSQL that never waits for ever. It may be one of a pool that gives each transaction
// another: no statement has a name, and settings end with their transaction.
#pragma once

#include "store.hpp"

#include <libpq-fe.h>
#include <poll.h>

#include <algorithm>
#include <chrono>
#include <stdexcept>
#include <string_view>
#include <thread>
#include <utility>

class PostgresConnection {
 public:
  enum Format { text = 0, binary = 1 };

  /// `limit` is that of a statement. It connects when it is used.
  PostgresConnection(std::string url, std::chrono::milliseconds limit) : url_(std::move(url)), limit_(limit) {
    check_url();
  }

  [[nodiscard]] bool is_open() const { return connection_ != nullptr; }
  [[nodiscard]] bool is_lost() const { return PQstatus(connection_.get()) != CONNECTION_OK; }
  [[nodiscard]] bool in_transaction() const { return PQtransactionStatus(connection_.get()) == PQTRANS_INTRANS; }

  void begin(const std::string& synchronous_commit) {
    connect();
    first_error.clear();
    alone_ = false;
    const auto all = begin_with + std::to_string(limit_.count()) + "; SET LOCAL synchronous_commit = ";
    finish(PQsendQuery(connection_.get(), (all + synchronous_commit).c_str()));
  }

  void commit() {
    execute("COMMIT");
    if (alone_) fail("a synchronous standby may lack what was committed");
  }

  /// Runs one statement, and returns the values of its rows.
  Values execute(const std::string& sql, const Values& values = {}, Format format = text) {
    std::vector<const char*> data;
    std::vector<int> sizes;
    if (sql.find('\0') != sql.npos) fail("a statement has a NUL");
    for (const auto& v : values) {
      if (format == text && v.find('\0') != v.npos) fail("a value has a NUL");
      data.push_back(v.c_str());
      sizes.push_back(static_cast<int>(v.size()));
    }
    const std::vector<int> formats(values.size(), format);
    return finish(PQsendQueryParams(connection_.get(), sql.c_str(), static_cast<int>(values.size()), nullptr,
                                    data.data(), sizes.data(), formats.data(), format));
  }

  /// A statement that was given up is ended, by a thread of its own: that too waits for the server.
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

  [[noreturn]] void fail(const std::string& message) {
    std::string problem = "PostgreSQL: " + message;
    std::replace(problem.begin(), problem.end(), '\n', ' ');
    if (first_error.empty()) first_error = problem;
    throw std::runtime_error(problem);
  }

  std::string first_error;  ///< In the transaction, or since it was cleared.
  std::string sqlstate;     ///< The code of the last error of a statement.

 private:
  // A receiver needs no right to make tables that are there. The lock is for some that start at the same time.
  static constexpr const char* schema = R"(
  DO $$ BEGIN IF to_regclass('webhook_events') IS NULL THEN
    PERFORM pg_advisory_xact_lock(hashtext('webhook_events'));
    CREATE TABLE IF NOT EXISTS webhook_events(
      id text PRIMARY KEY,  -- the webhook-id
      body bytea NOT NULL,  -- as received; to read it: convert_from(body, 'UTF8')
      received_at timestamptz NOT NULL DEFAULT now(), handled_at timestamptz,
      try_at timestamptz DEFAULT now(),  -- NULL where the body does not parse: when a receiver starts
      attempts int NOT NULL DEFAULT 0, reason text);  -- why the last one that failed did
    CREATE INDEX IF NOT EXISTS webhook_events_new ON webhook_events(received_at)
      WHERE handled_at IS NULL AND attempts = 0;
    CREATE INDEX IF NOT EXISTS webhook_events_tried ON webhook_events(try_at)
      WHERE handled_at IS NULL AND attempts > 0;
    CREATE INDEX IF NOT EXISTS webhook_events_due ON webhook_events(try_at) WHERE handled_at IS NULL;
    CREATE TABLE IF NOT EXISTS notes(event_id text NOT NULL, note text NOT NULL);  -- by handle() in main.cpp
  END IF; END $$)";

  // The limits free events that a machine had locked when it died, or that a handler hangs on.
  static constexpr const char* begin_with =
      R"(BEGIN; SET LOCAL client_min_messages = warning; SET LOCAL tcp_keepalives_idle = 5;
  SET LOCAL tcp_keepalives_interval = 2; SET LOCAL tcp_keepalives_count = 3;
  SET LOCAL idle_in_transaction_session_timeout = '5min'; SET LOCAL statement_timeout = )";

  // No message of libpq about the URL is shown, since it may have parts of the password.
  void check_url() const {
    const std::unique_ptr<PQconninfoOption, void (*)(PQconninfoOption*)> options(
        PQconninfoParse(url_.c_str(), nullptr), PQconninfoFree);
    bool good = options != nullptr;
    for (const auto* o = options.get(); good && o->keyword; ++o) {
      const std::string_view name = o->keyword, value = o->val ? o->val : "";
      if (name == "host" || name == "dbname") good = value.find('@') == value.npos;
      if (name == "port") good = value.find_first_not_of("0123456789,") == value.npos;
    }
    if (!good) throw std::runtime_error("PostgreSQL: malformed URL; in a password, write %40 for @, %2F for /");
  }

  void connect() {
    if (connection_) return;
    // Of a duplicated name the last counts, so what the URL says takes precedence.
    const char* const names[] = {"connect_timeout", "target_session_attrs", "dbname", nullptr};
    const char* const values[] = {"3", "read-write", url_.c_str(), nullptr};
    connection_.reset(PQconnectdbParams(names, values, 1));
    if (PQstatus(connection_.get()) != CONNECTION_OK) fail(PQerrorMessage(connection_.get()));
    PQsetnonblocking(connection_.get(), 1);
    const auto notice = [](void* alone, const PGresult* result) {
      const char* const by = PQresultErrorField(result, PG_DIAG_SOURCE_FUNCTION);
      if (by && by == std::string_view("SyncRepWaitForLSN")) *static_cast<bool*>(alone) = true;
    };
    PQsetNoticeReceiver(connection_.get(), notice, &alone_);
    execute(schema);
  }

  // Waits for the results of what was sent. PQexec() would wait for ever where a server stops to answer.
  Values finish(int sent) {
    PGconn* const c = connection_.get();
    if (!sent) fail(PQerrorMessage(c));
    using clock = std::chrono::steady_clock;
    const auto end = clock::now() + limit_ + std::chrono::seconds(1);  // the server's own limit comes first
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
      if (const char* const state = PQresultErrorField(r, PG_DIAG_SQLSTATE)) sqlstate = state;
      for (int i = 0, columns = PQnfields(r); i < PQntuples(r) * columns; ++i) {
        rows.emplace_back(PQgetvalue(r, i / columns, i % columns), PQgetlength(r, i / columns, i % columns));
      }
    }
    if (!problem.empty()) fail(problem);
    return rows;
  }

  const std::string url_;
  const std::chrono::milliseconds limit_;
  bool alone_ = false;  // a commit has not waited for a standby until the end
  std::unique_ptr<PGconn, void (*)(PGconn*)> connection_{nullptr, PQfinish};
};
