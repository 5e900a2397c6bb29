// SPDX-License-Identifier: MIT
// A connection to PostgreSQL that never waits forever. It may be one of a pool that gives each transaction
// another: no statement has a name, and settings end with their transaction.
#pragma once

#include "postgres_error.hpp"

#include <libpq-fe.h>
#include <poll.h>
#include <sys/socket.h>

#include <atomic>
#include <chrono>
#include <new>
#include <string_view>
#include <thread>
#include <utility>

class PostgresConnection {
 public:
  enum Format { text = 0, binary = 1 };

  /// `limit` is for a statement, `idle` for a pause in a transaction. It connects when it is used, and then
  /// runs `first`.
  PostgresConnection(std::string url, const char* first, std::chrono::seconds limit, std::chrono::seconds idle)
      : url_(std::move(url)), first_(first), limit_(limit) {
    check_url();
    begin_ += "; SET LOCAL statement_timeout = " + std::to_string(limit.count() * 1000) +
              "; SET LOCAL idle_in_transaction_session_timeout = " + std::to_string(idle.count() * 1000);
  }

  [[nodiscard]] const std::string& url() const { return url_; }
  [[nodiscard]] PGTransactionStatusType status() const { return PQtransactionStatus(connection_.get()); }

  /// Begins a transaction, and runs `more` in it, in one go. If the connection was lost, it is made again.
  Values begin(const std::string& more) {
    for (bool used = connection_ != nullptr;; used = false) {
      connect();
      alone_ = false;
      try {
        return execute_all(begin_ + "; " + more);
      } catch (const DatabaseError&) {
        if (!used || PQstatus(connection_.get()) == CONNECTION_OK) throw;
        disconnect();
      }
    }
  }

  void commit() {
    execute("COMMIT");
    if (alone_) throw postgres_error("a synchronous standby may lack what was committed");
  }

  /// Runs statements in one go.
  Values execute_all(const std::string& sql) { return finish(PQsendQuery(connection_.get(), sql.c_str())); }

  /// Runs one statement, and returns the values of its rows.
  Values execute(const std::string& sql, const Values& values = {}, Format format = text) {
    std::vector<const char*> data;
    std::vector<int> sizes;
    if (sql.find('\0') != sql.npos) throw postgres_error("a statement has a NUL");
    for (const auto& v : values) {
      if (format == text && v.find('\0') != v.npos) throw postgres_error("a value has a NUL");
      data.push_back(v.c_str());
      sizes.push_back(static_cast<int>(v.size()));
    }
    const std::vector<int> formats(values.size(), format);
    return finish(PQsendQueryParams(connection_.get(), sql.c_str(), static_cast<int>(values.size()), nullptr,
                                    data.data(), sizes.data(), formats.data(), format));
  }

  /// A string for SQL, with its quotes.
  [[nodiscard]] std::string literal(const std::string& string) const {
    const std::unique_ptr<char, void (*)(void*)> quoted(
        PQescapeLiteral(connection_.get(), string.data(), string.size()), PQfreemem);
    if (!quoted) throw postgres_error(PQerrorMessage(connection_.get()));
    return quoted.get();
  }

  /// The bytes of a bytea in a result that is text.
  static std::string bytes(const std::string& escaped) {
    std::size_t size = 0;
    const std::unique_ptr<unsigned char, void (*)(void*)> unescaped(
        PQunescapeBytea(reinterpret_cast<const unsigned char*>(escaped.c_str()), &size), PQfreemem);
    if (!unescaped) throw std::bad_alloc();
    return {unescaped.get(), unescaped.get() + size};
  }

  /// Has the server end the transaction, and a statement that runs. Any thread may call this.
  void shut_down() {
    cancel(cancel_.get());
    shutdown(socket_, SHUT_RDWR);
  }

  /// A separate thread ends a statement that was given up: that too waits for the server.
  void disconnect() noexcept {
    if (status() == PQTRANS_ACTIVE) {
      std::thread([given_up = std::move(connection_), its = cancel_] { cancel(its.get()); }).detach();
    }
    socket_ = -1;
    connection_.reset();
  }

 private:
  static void cancel(PGcancel* statement) {
    char problem[256];
    PQcancel(statement, problem, sizeof problem);
  }

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
    if (!good)
      throw DatabaseError(DatabaseError::permanent,
                          "PostgreSQL: malformed URL; in a password, write %40 for @, %2F for /");
  }

  void connect() try {
    if (connection_) return;
    // Of a duplicated name the last counts, so the URL takes precedence over what comes before it.
    const char* const names[] = {"connect_timeout", "target_session_attrs", "dbname", "client_encoding", nullptr};
    const char* const values[] = {"3", "read-write", url_.c_str(), "UTF8", nullptr};
    connection_.reset(PQconnectdbParams(names, values, 1));
    if (PQstatus(connection_.get()) != CONNECTION_OK) throw postgres_error(PQerrorMessage(connection_.get()));
    PQsetnonblocking(connection_.get(), 1);
    socket_ = PQsocket(connection_.get());
    cancel_.reset(PQgetCancel(connection_.get()), PQfreeCancel);
    const auto notice = [](void* alone, const PGresult* result) {
      const char* const by = PQresultErrorField(result, PG_DIAG_SOURCE_FUNCTION);
      if (by && by == std::string_view("SyncRepWaitForLSN")) *static_cast<bool*>(alone) = true;
    };
    PQsetNoticeReceiver(connection_.get(), notice, &alone_);
    execute(first_);
  } catch (...) {
    disconnect();
    throw;
  }

  // Waits for the results of what was sent. PQexec() would wait forever if a server stopped answering.
  Values finish(int sent) {
    PGconn* const c = connection_.get();
    if (!sent) throw postgres_error(PQerrorMessage(c));
    using clock = std::chrono::steady_clock;
    const auto end = clock::now() + limit_ + std::chrono::seconds(1);  // the server's own limit comes first
    using Result = std::unique_ptr<PGresult, void (*)(PGresult*)>;
    Values rows;
    Result failed(nullptr, PQclear);
    for (;;) {
      for (int unsent = 0; (unsent = PQflush(c)) != 0 || PQisBusy(c);) {
        if (clock::now() > end) throw postgres_error("it does not answer");
        pollfd wanted{PQsocket(c), static_cast<short>(unsent != 0 ? POLLIN | POLLOUT : POLLIN), 0};
        poll(&wanted, 1, 100);
        if (unsent < 0 || !PQconsumeInput(c)) throw postgres_error(PQerrorMessage(c));
      }
      Result result(PQgetResult(c), PQclear);
      if (!result) break;
      const PGresult* const r = result.get();
      const auto status = PQresultStatus(r);
      if (status == PGRES_COPY_IN || status == PGRES_COPY_OUT) throw postgres_error("COPY is not possible here");
      for (int i = 0, columns = PQnfields(r); i < PQntuples(r) * columns; ++i) {
        rows.emplace_back(PQgetvalue(r, i / columns, i % columns), PQgetlength(r, i / columns, i % columns));
      }
      if (status == PGRES_FATAL_ERROR && !failed) failed = std::move(result);
      if (clock::now() > end) throw postgres_error("it does not finish");
    }
    if (failed) throw postgres_error(*failed);
    return rows;
  }

  // READ COMMITTED, since with a stricter level receivers would keep each other from recording. The limits free
  // events that a machine had locked when it died.
  std::string begin_ =
      "BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL client_min_messages = warning; SET LOCAL "
      "tcp_keepalives_idle ="
      " 5; SET LOCAL tcp_keepalives_interval = 2; SET LOCAL tcp_keepalives_count = 3";
  const std::string url_;
  const char* const first_;
  const std::chrono::seconds limit_;
  std::atomic<int> socket_{-1};
  std::shared_ptr<PGcancel> cancel_;
  bool alone_ = false;  // a commit stopped waiting for a standby
  std::unique_ptr<PGconn, void (*)(PGconn*)> connection_{nullptr, PQfinish};
};
