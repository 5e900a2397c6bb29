// SPDX-License-Identifier: MIT
// The databases that a receiver may have: each object is an empty one of its own.
#pragma once

#include "process.hpp"

#include <sqlite3.h>
#ifdef WITH_POSTGRES
#include <libpq-fe.h>
#endif

#include <atomic>
#include <memory>
#include <stdexcept>
#include <string>

/// A file.
class Sqlite {
 public:
  static constexpr bool shared = false;  ///< Whether receivers on several machines may use it.

  Sqlite() = default;

  [[nodiscard]] std::string where() const { return (folder.path / "events.db").string(); }

  /// The first column of what `sql` gives, a line a row.
  [[nodiscard]] std::string query(const std::string& sql) const {
    sqlite3* opened = nullptr;
    sqlite3_open(where().c_str(), &opened);
    const std::unique_ptr<sqlite3, int (*)(sqlite3*)> db(opened, sqlite3_close);
    sqlite3_busy_timeout(opened, 60'000);
    std::string text;
    const auto append = [](void* to, int, char** values, char**) {
      *static_cast<std::string*>(to) += std::string(values[0] ? values[0] : "NULL") + '\n';
      return 0;
    };
    if (sqlite3_exec(opened, sql.c_str(), append, &text, nullptr) != SQLITE_OK) {
      throw std::runtime_error(sql + ": " + sqlite3_errmsg(opened));
    }
    return text;
  }

  /// Has each INSERT into `table` run an expression of SQL first, where the condition holds.
  void before_insert(const std::string& table, const std::string& condition, const std::string& expression) const {
    query("CREATE TRIGGER before_" + table + " BEFORE INSERT ON " + table + " WHEN " + condition + " BEGIN SELECT " +
          expression + "; END");
  }
  void undo_before_insert(const std::string& table) const { query("DROP TRIGGER before_" + table); }

  static constexpr auto failure = "RAISE(FAIL, 'refused')";
  static constexpr auto pause =  // some tenths of a second
      "(WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000000) SELECT max(i) FROM n)";
  static constexpr auto body = "body";  ///< The text of a body, as SQL.

  Folder folder;
};

#ifdef WITH_POSTGRES
/// A server in a temporary folder, which listens on a Unix socket there. It is not run as root, which it refuses.
class PostgresServer {
 public:
  PostgresServer() {
    if (user_[0]) {
      const passwd* const account = getpwnam(user_);
      if (!account || chown(folder_.path.c_str(), account->pw_uid, account->pw_gid) != 0) {
        throw std::runtime_error(std::string("no user ") + user_);
      }
    }
    Process initdb("", {POSTGRES_BIN "/initdb", "-D", data(), "-A", "trust", "-U", "receiver", "--wal-segsize=1"},
                   folder_.path / "initdb.log", user_);
    if (initdb.wait() != 0) throw std::runtime_error("initdb: " + initdb.log());
    start();
  }
  PostgresServer(const PostgresServer&) = delete;
  PostgresServer& operator=(const PostgresServer&) = delete;
  ~PostgresServer() { stop_immediately(); }

  static PostgresServer& of_all_tests() {
    static PostgresServer server;
    return server;
  }

  void start() {
    process_ = std::make_unique<Process>(
        "", std::vector<std::string>{POSTGRES_BIN "/postgres", "-D", data(), "-k", folder_.path.string(), "-c",
                                     "listen_addresses="},
        folder_.path / "log", user_);
    if (!eventually([&] { return PQping(url("postgres").c_str()) == PQPING_OK; })) {
      throw std::runtime_error("PostgreSQL does not start: " + process_->log());
    }
  }

  /// Stops in the middle of whatever it does, as in a crash.
  void stop_immediately() {
    process_->signal(SIGQUIT);
    process_->wait();
  }
  [[nodiscard]] const Process& process() const { return *process_; }

  [[nodiscard]] std::string url(const std::string& database) const {
    return "postgresql:///" + database + "?host=" + folder_.path.string() + "&user=receiver";
  }

 private:
  [[nodiscard]] std::string data() const { return (folder_.path / "data").string(); }

  const char* user_ = geteuid() == 0 ? "postgres" : "";
  Folder folder_;
  std::unique_ptr<Process> process_;
};

/// A database on that server.
class Postgres {
 public:
  static constexpr bool shared = true;

  explicit Postgres(PostgresServer& of = PostgresServer::of_all_tests()) : server(of) {
    static std::atomic<int> number{0};
    name_ = "test" + std::to_string(++number);
    query_in("postgres", "CREATE DATABASE " + name_);
  }

  [[nodiscard]] std::string where() const { return server.url(name_); }
  [[nodiscard]] std::string query(const std::string& sql) const { return query_in(name_, sql); }

  void before_insert(const std::string& table, const std::string& condition, const std::string& expression) const {
    query("CREATE OR REPLACE FUNCTION refuse() RETURNS text LANGUAGE plpgsql AS"
          " $$ BEGIN RAISE 'refused'; END $$;"
          "CREATE FUNCTION before_" + table + "() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF " + condition +
          " THEN PERFORM " + expression + "; END IF; RETURN NEW; END $$;"
          "CREATE TRIGGER before_" + table + " BEFORE INSERT ON " + table +
          " FOR EACH ROW EXECUTE FUNCTION before_" + table + "()");
  }
  void undo_before_insert(const std::string& table) const { query("DROP FUNCTION before_" + table + " CASCADE"); }

  static constexpr auto failure = "refuse()";
  static constexpr auto pause = "pg_sleep(0.3)";
  static constexpr auto body = "convert_from(body, 'LATIN1')";

  PostgresServer& server;
  Folder folder;

 private:
  [[nodiscard]] std::string query_in(const std::string& database, const std::string& sql) const {
    const std::unique_ptr<PGconn, void (*)(PGconn*)> connection(PQconnectdb(server.url(database).c_str()), PQfinish);
    const std::unique_ptr<PGresult, void (*)(PGresult*)> result(PQexec(connection.get(), sql.c_str()), PQclear);
    const auto status = PQresultStatus(result.get());
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) {
      throw std::runtime_error(sql + ": " + PQerrorMessage(connection.get()));
    }
    std::string text;
    for (int row = 0; row < PQntuples(result.get()); ++row) {
      text += std::string(PQgetisnull(result.get(), row, 0) ? "NULL" : PQgetvalue(result.get(), row, 0)) + '\n';
    }
    return text;
  }

  std::string name_;
};
#endif
