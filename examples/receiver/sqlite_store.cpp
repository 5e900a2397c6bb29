// SPDX-License-Identifier: MIT
// Events in a file of SQLite, for one machine.
#include "shared_store.hpp"

#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <mutex>
#include <system_error>
#include <utility>

namespace {

const char* const schema = R"(
  CREATE TABLE IF NOT EXISTS webhook_events(
    id TEXT PRIMARY KEY NOT NULL,  -- the webhook-id
    body TEXT NOT NULL,            -- as received
    received_at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP, handled_at TEXT,
    try_at TEXT DEFAULT CURRENT_TIMESTAMP,  -- NULL: when a receiver starts, since the body does not parse
    attempts INTEGER NOT NULL DEFAULT 0, reason TEXT);  -- why the last one that failed did
  CREATE INDEX IF NOT EXISTS webhook_events_new ON webhook_events(received_at)
    WHERE handled_at IS NULL AND attempts = 0;
  CREATE INDEX IF NOT EXISTS webhook_events_tried ON webhook_events(try_at, attempts, received_at)
    WHERE handled_at IS NULL AND attempts > 0;
  CREATE TABLE IF NOT EXISTS notes(event_id TEXT NOT NULL, note TEXT NOT NULL);  -- by handle() in main.cpp)";

// SQLite lets one connection write at a time. Those of this process take turns, in order: the next holds `next`.
std::timed_mutex turn, next;

auto hold(sqlite3* db) {  // keeps other threads from the connection
  sqlite3_mutex* const mutex = sqlite3_db_mutex(db);
  sqlite3_mutex_enter(mutex);
  return std::unique_ptr<sqlite3_mutex, void (*)(sqlite3_mutex*)>(mutex, sqlite3_mutex_leave);
}

class SqliteStore final : public SharedStore {
 public:
  SqliteStore(std::string path, Purpose purpose)
      : SharedStore(sqlite_dialect), path_(std::move(path)), purpose_(purpose) {
    if (sqlite3_libversion_number() < 3035000) throw std::runtime_error("SQLite: version 3.35 or newer is needed");
  }
  SqliteStore(const SqliteStore&) = delete;
  SqliteStore& operator=(const SqliteStore&) = delete;
  ~SqliteStore() override {
    const std::lock_guard lock(turn);
    all_.erase(this);
  }

  void give_up(const std::string& id) override {
    if (!db_) throw std::runtime_error("SQLite: it is not connected");
    is_given_up_ = true;
    sqlite3_interrupt(db_.get());
    const auto lock = hold(db_.get());
    sqlite3_exec(db_.get(), "ROLLBACK", nullptr, nullptr, nullptr);
    put_off(id);
  }

 private:
  void begin(Access access) override {
    take_turn();
    execute(access == Access::read ? "BEGIN" : "BEGIN IMMEDIATE");
  }
  void commit() override {
    execute("COMMIT");
    check_file();
    turn_ = {};
  }
  Values mark_handled(const std::string& id) override { return run(mark("$1"), {id}); }
  void roll_back() noexcept override {
    if (is_good()) sqlite3_exec(db_.get(), "ROLLBACK", nullptr, nullptr, nullptr);
    turn_ = {};
  }
  bool is_good() const override { return turn_ && db_ && !sqlite3_get_autocommit(db_.get()); }
  void flush() override { check(sqlite3_db_cacheflush(db_.get())); }

  Values claim(const std::string& next_id) override {
    take_turn();
    check_file();
    const bool found = execute("SELECT " + next_id) != Values{""};  // which waits for nobody who writes
    const Values event = found ? execute(sqlite_dialect.claim_of(next_id)) : Values{};
    turn_ = {};
    has_begun_ = false;
    return event;
  }

  // The turn of a handler begins with its first statement: what it does before does not hold up deliveries.
  Values run_in_transaction(const std::string& sql, const Values& values) override {
    if (!has_begun_) or_roll_back([&] { begin(Access::write); });
    has_begun_ = true;
    const auto lock = hold(db_.get());  // give_up() may come at any time
    if (is_given_up_ || !is_good()) throw std::runtime_error("SQLite: the transaction has ended");
    return execute(sql, values);
  }

  void lock(const std::string&) override {}  // only one handler runs at a time

  Values execute(const std::string& sql, const Values& values = {}) override {
    sqlite3_stmt* prepared = nullptr;
    const char* rest = nullptr;
    check(sqlite3_prepare_v2(db_.get(), sql.data(), static_cast<int>(sql.size()), &prepared, &rest));
    const std::unique_ptr<sqlite3_stmt, int (*)(sqlite3_stmt*)> statement(prepared, sqlite3_finalize);
    int n = 0, status = 0;
    for (const auto& value : values) {
      const int index = sqlite3_bind_parameter_index(prepared, ('$' + std::to_string(++n)).c_str());
      check(sqlite3_bind_text(prepared, index, value.data(), static_cast<int>(value.size()), SQLITE_STATIC));
    }
    const bool more = std::string(rest, sql.data() + sql.size()).find_first_not_of(" \n;") != std::string::npos;
    const bool fits = !more && sqlite3_bind_parameter_count(prepared) == n;
    if (!fits) throw std::runtime_error("SQLite: it takes one statement, and a value for each parameter");
    Values rows;
    while ((status = sqlite3_step(prepared)) == SQLITE_ROW) {
      for (int i = 0; i < sqlite3_column_count(prepared); ++i) {
        const auto* text = static_cast<const char*>(sqlite3_column_blob(prepared, i));
        rows.emplace_back(text, text + sqlite3_column_bytes(prepared, i));
      }
    }
    check(status == SQLITE_DONE ? SQLITE_OK : status);
    return rows;
  }

  void check(int status) const {
    auto kind = DatabaseError::permanent;
    switch (status & 0xFF) {
      case SQLITE_OK: return;
      case SQLITE_CONSTRAINT:
      case SQLITE_MISMATCH:
      case SQLITE_TOOBIG: kind = DatabaseError::refused; break;
      case SQLITE_BUSY:
      case SQLITE_FULL:
      case SQLITE_IOERR:
      case SQLITE_NOMEM:
      case SQLITE_PROTOCOL: kind = DatabaseError::temporary; break;
    }
    std::string message = std::string("SQLite: ") + sqlite3_errmsg(db_.get());
    const int error = status == SQLITE_CANTOPEN ? sqlite3_system_errno(db_.get()) : 0;
    if (error != 0) message += ": " + std::generic_category().message(error);
    throw DatabaseError(kind, message);
  }

  void take_turn() {
    const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(3);
    const std::unique_lock waits(next, limit);
    turn_ = std::unique_lock(turn, limit);
    if (!turn_) throw DatabaseError(DatabaseError::temporary, "SQLite: a handler is still writing");
    if (!db_) connect();
  }

  void connect() try {
    sqlite3* opened = nullptr;
    const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_FULLMUTEX;
    const mode_t mask = umask(077);  // the bodies are for the owner alone
    const int status = sqlite3_open_v2(path_.c_str(), &opened, flags, nullptr);
    umask(mask);
    db_.reset(opened);
    check(status);
    sqlite3_busy_timeout(opened, 3000);
    if (execute("PRAGMA journal_mode = WAL") != Values{"wal"}) {
      throw DatabaseError(DatabaseError::permanent,
                          "SQLite: no write-ahead log is possible here: a network file system?");
    }
    // FULL: a commit waits for the disk, for it and all before it. NORMAL: it does not.
    execute(purpose_ == Purpose::record ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL");
    execute("PRAGMA journal_size_limit = 16777216");  // bytes, to which a log that has grown is cut
    check(sqlite3_exec(opened, schema, nullptr, nullptr, nullptr));
    all_.insert(this);
  } catch (...) {
    db_.reset();
    throw;
  }

  // If the file, its -wal or its -shm was deleted or replaced, nobody else sees what is committed. Closes all
  // connections to it: a new one would share their log.
  void check_file() {
    int moved = 0;
    check(sqlite3_file_control(db_.get(), "main", SQLITE_FCNTL_HAS_MOVED, &moved));
    const std::string file = sqlite3_db_filename(db_.get(), "main");
    const auto is_there = [&](const char* end) { return access((file + end).c_str(), F_OK) == 0; };
    if (!moved && is_there("-wal") && is_there("-shm")) return;
    for (auto* store : all_) store->db_.reset();
    throw DatabaseError(DatabaseError::temporary, "SQLite: the file was deleted or replaced");
  }

  static inline std::set<SqliteStore*> all_;  // those of this process that are connected
  const std::string path_;
  const Purpose purpose_;
  std::unique_ptr<sqlite3, int (*)(sqlite3*)> db_{nullptr, sqlite3_close};
  std::unique_lock<std::timed_mutex> turn_;
  bool has_begun_ = false;  // the transaction of the handler
};

}  // namespace

std::unique_ptr<Store> open_sqlite(const std::string& path, Purpose purpose) {
  auto store = std::make_unique<SqliteStore>(path, purpose);
  store->check_at_start();
  return store;
}
