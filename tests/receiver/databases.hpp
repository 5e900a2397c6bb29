// SPDX-License-Identifier: MIT
// The databases that a receiver may use: each object is a new, empty one.
#pragma once

#include "process.hpp"

#include <sqlite3.h>
#ifdef POSTGRES_BIN
#include <libpq-fe.h>
#endif

#include <atomic>
#include <fstream>
#include <memory>
#include <stdexcept>
#include <string>

/// A database in a file.
class Sqlite {
 public:
  static constexpr bool shared = false;  ///< Whether receivers on several machines may use it.

  Sqlite() = default;

  [[nodiscard]] std::string where() const { return (folder.path / "events.db").string(); }

  /// The query plan of a statement.
  std::string plan(const std::string& sql) const { return query("EXPLAIN QUERY PLAN " + sql); }

  /// The last column of the result, one row per line.
  std::string query(const std::string& sql) const {
    sqlite3* opened = nullptr;
    sqlite3_open(where().c_str(), &opened);
    const std::unique_ptr<sqlite3, int (*)(sqlite3*)> db(opened, sqlite3_close);
    sqlite3_busy_timeout(opened, 60'000);
    std::string text;
    const auto append = [](void* to, int columns, char** values, char**) {
      const char* const last = values[columns - 1];
      *static_cast<std::string*>(to) += std::string(last ? last : "NULL") + '\n';
      return 0;
    };
    if (sqlite3_exec(opened, sql.c_str(), append, &text, nullptr) != SQLITE_OK) {
      throw std::runtime_error(sql + ": " + sqlite3_errmsg(opened));
    }
    return text;
  }

  /// Makes each INSERT into `table` evaluate an SQL expression first, if the condition holds.
  void before_insert(const std::string& table, const std::string& condition, const std::string& expression) const {
    query("CREATE TRIGGER before_" + table + " BEFORE INSERT ON " + table + " WHEN " + condition +
          " BEGIN SELECT " + expression + "; END");
  }
  void undo_before_insert(const std::string& table) const { query("DROP TRIGGER before_" + table); }

  static constexpr auto failure = "RAISE(FAIL, 'refused')";
  static constexpr auto body = "body";  ///< The text of a body, as SQL.

  /// Blocks all other writers.
  class Lock {
   public:
    explicit Lock(const Sqlite& database) {
      sqlite3_open(database.where().c_str(), &db_);
      sqlite3_busy_timeout(db_, 60'000);
      if (sqlite3_exec(db_, "BEGIN IMMEDIATE", nullptr, nullptr, nullptr) != SQLITE_OK) {
        throw std::runtime_error(sqlite3_errmsg(db_));
      }
    }
    Lock(const Lock&) = delete;
    Lock& operator=(const Lock&) = delete;
    ~Lock() { sqlite3_close(db_); }

   private:
    sqlite3* db_ = nullptr;
  };

  /// Keeps the receiver's files from growing beyond 1.5 MB.
  class Full {
   public:
    Full(const Sqlite&, std::unique_ptr<Receiver>& receiver) : receiver_(*receiver) {
      receiver_.limit_files(1'500'000);
    }
    Full(const Full&) = delete;
    Full& operator=(const Full&) = delete;
    ~Full() { receiver_.limit_files(RLIM_INFINITY); }

   private:
    const Receiver& receiver_;
  };

  Folder folder;
};

#ifdef POSTGRES_BIN
/// The user for servers that refuse to run as root. Debian's postgresql creates it.
inline std::string not_root() { return geteuid() == 0 ? "postgres" : ""; }

struct ServerFolder : Folder {
  void give_to(const std::string& user) const {
    if (user.empty()) return;
    const passwd* const account = getpwnam(user.c_str());
    if (!account || chown(path.c_str(), account->pw_uid, account->pw_gid) != 0) {
      throw std::runtime_error("no user " + user);
    }
  }
};

/// A server in a temporary folder, which listens on a Unix socket there. It never runs as root, which it refuses.
class PostgresServer {
 public:
  PostgresServer() {
    folder_.give_to(user_);
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
    process_ =
        std::make_unique<Process>("",
                                  std::vector<std::string>{POSTGRES_BIN "/postgres", "-D", data(), "-k",
                                                           folder_.path.string(), "-c", "listen_addresses="},
                                  folder_.path / "log", user_);
    if (!eventually([&] { return PQping(url("postgres").c_str()) == PQPING_OK; })) {
      throw std::runtime_error("PostgreSQL does not start: " + process_->log());
    }
  }

  /// Stops the server at once, as in a crash.
  void stop_immediately() {
    process_->signal(SIGQUIT);
    process_->wait();
  }
  [[nodiscard]] const Process& process() const { return *process_; }

  [[nodiscard]] std::string folder() const { return folder_.path.string(); }
  [[nodiscard]] std::string url(const std::string& database) const {
    return "postgresql:///" + database + "?host=" + folder() + "&user=receiver";
  }

 private:
  [[nodiscard]] std::string data() const { return (folder_.path / "data").string(); }

  const std::string user_ = not_root();
  ServerFolder folder_;
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

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] std::string where() const { return server.url(name_); }
  std::string query(const std::string& sql) const { return query_in(name_, sql); }
  std::string plan(const std::string& sql) const { return query("EXPLAIN " + sql); }

  void before_insert(const std::string& table, const std::string& condition, const std::string& expression) const {
    trigger("before_" + table, "BEFORE INSERT ON " + table + " FOR EACH ROW", condition, expression);
  }
  void undo_before_insert(const std::string& table) const { query("DROP FUNCTION before_" + table + " CASCADE"); }

  /// Evaluates an SQL expression at each such change, if the condition holds.
  void trigger(const std::string& name, const std::string& change, const std::string& condition,
               const std::string& expression) const {
    query(
        "CREATE OR REPLACE FUNCTION refuse() RETURNS text LANGUAGE plpgsql AS"
        " $$ BEGIN RAISE 'refused' USING ERRCODE = 'MY001'; END $$;"
        "CREATE FUNCTION " +
        name + "() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF " + condition + " THEN PERFORM " + expression +
        "; END IF; RETURN NEW; END $$;"
        "CREATE TRIGGER " +
        name + ' ' + change + " EXECUTE FUNCTION " + name + "()");
  }

  static constexpr auto failure = "refuse()";
  static constexpr auto body = "convert_from(body, 'LATIN1')";

  class Lock {
   public:
    explicit Lock(const Postgres& database) : connection_(PQconnectdb(database.where().c_str()), PQfinish) {
      PQclear(PQexec(connection_.get(), "BEGIN"));
      PQclear(PQexec(connection_.get(), "LOCK TABLE webhook_events"));
      if (PQtransactionStatus(connection_.get()) != PQTRANS_INTRANS) throw std::runtime_error("no lock");
    }

   private:
    std::unique_ptr<PGconn, void (*)(PGconn*)> connection_;
  };

  /// The same for the server's files, whose limits new connections inherit.
  class Full {
   public:
    Full(const Postgres& database, std::unique_ptr<Receiver>&) : database_(database) {
      database.server.process().limit_files(1'500'000);
      database.disconnect_others();
    }
    Full(const Full&) = delete;
    Full& operator=(const Full&) = delete;
    ~Full() {
      database_.server.process().limit_files(RLIM_INFINITY);
      database_.disconnect_others();
    }

   private:
    const Postgres& database_;
  };

  void disconnect_others() const {
    query(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND"
        " pid <> pg_backend_pid()");
  }

  /// Makes the commit of each event fail: the constraint is checked when the transaction ends.
  void fail_commits(bool fail) const {
    query(
        fail
            ? "CREATE FUNCTION fail_commit() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'refused'; END $$;"
              "CREATE CONSTRAINT TRIGGER fail_commit AFTER INSERT ON webhook_events DEFERRABLE INITIALLY DEFERRED"
              " FOR EACH ROW EXECUTE FUNCTION fail_commit()"
            : "DROP FUNCTION fail_commit CASCADE");
  }

  /// Makes new sessions read-only, or writable again.
  void read_only(bool yes) const {
    query_in("postgres",
             "ALTER DATABASE " + name_ +
                 (yes ? " SET default_transaction_read_only = on" : " RESET default_transaction_read_only"));
    disconnect_others();
  }

  PostgresServer& server;
  Folder folder;

 private:
  std::string query_in(const std::string& database, const std::string& sql) const {
    const std::unique_ptr<PGconn, void (*)(PGconn*)> connection(PQconnectdb(server.url(database).c_str()),
                                                                PQfinish);
    PQsetNoticeProcessor(
        connection.get(), [](void*, const char*) {}, nullptr);
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

#ifdef PGBOUNCER
/// A pool in front of a server that may use another connection for each transaction.
class Pool {
 public:
  explicit Pool(const PostgresServer& server = PostgresServer::of_all_tests()) {
    const std::string user = not_root(), settings = (folder_.path / "pgbouncer.ini").string();
    std::ofstream(settings) << "[databases]\n* = host=" << server.folder() << " user=receiver\n[pgbouncer]\n"
                            << "pool_mode = transaction\nauth_type = any\nlisten_addr =\nlisten_port = 6432\n"
                            << "unix_socket_dir = " << folder_.path.string() << "\ndefault_pool_size = 6\n"
                            << "server_login_retry = 0.1\nserver_idle_timeout = 5\n";
    folder_.give_to(user);
    process_ =
        std::make_unique<Process>("", std::vector<std::string>{PGBOUNCER, settings}, folder_.path / "log", user);
    if (!eventually([&] { return PQping(url("postgres").c_str()) == PQPING_OK; })) {
      throw std::runtime_error("PgBouncer does not start: " + process_->log());
    }
  }

  static Pool& of_all_tests() {
    PostgresServer::of_all_tests();  // which must outlive it
    static Pool pool;
    return pool;
  }

  [[nodiscard]] std::string url(const std::string& database) const {
    return "postgresql:///" + database + "?port=6432&host=" + folder_.path.string() + "&user=receiver";
  }

 private:
  ServerFolder folder_;
  std::unique_ptr<Process> process_;
};

/// A database that the receiver reaches through a pool.
class PooledPostgres : public Postgres {
 public:
  PooledPostgres() : PooledPostgres(PostgresServer::of_all_tests(), Pool::of_all_tests()) {}
  PooledPostgres(PostgresServer& of, const Pool& pool) : Postgres(of), pool_(pool) {}

  [[nodiscard]] std::string where() const { return pool_.url(name()); }

 private:
  const Pool& pool_;
};
#endif
#endif
