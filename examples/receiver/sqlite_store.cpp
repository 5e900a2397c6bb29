// SPDX-License-Identifier: MIT
// Events in a file, for one machine.
#include "store.hpp"

#include <sqlite3.h>

#include <mutex>
#include <optional>
#include <stdexcept>

namespace {

const char* const schema = R"(
  CREATE TABLE IF NOT EXISTS webhook_events(
    id TEXT PRIMARY KEY NOT NULL,  -- the webhook-id
    body TEXT NOT NULL,            -- as received
    received_at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP, handled_at TEXT,
    try_at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP,
    attempts INTEGER NOT NULL DEFAULT 0, reason TEXT);  -- those that failed, and why the last did
  CREATE INDEX IF NOT EXISTS webhook_events_due ON webhook_events(try_at) WHERE handled_at IS NULL;
  CREATE TABLE IF NOT EXISTS notes(event_id TEXT NOT NULL, note TEXT NOT NULL);  -- by handle() in main.cpp
)";

// SQLite lets one connection write at a time. Those of this process take turns, which is faster than to try again.
// Other processes may have the file open too, such as the next receiver, or the sqlite3 shell.
std::mutex turn;

class SqliteStore final : public Store, private Transaction {
 public:
  SqliteStore(const std::string& path, Purpose purpose) {
    sqlite3* opened = nullptr;
    const int status = sqlite3_open(path.c_str(), &opened);
    db_.reset(opened);
    check(status);
    sqlite3_busy_timeout(opened, 3000);
    execute("PRAGMA journal_mode = WAL");
    // FULL: a commit waits for the disk, for it and all before it. NORMAL: it does not wait. After a power cut,
    // the last events may be unhandled again: the marks and what the handlers wrote are gone. They are handled
    // once more.
    execute(purpose == Purpose::record ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL");
    const std::lock_guard lock(turn);
    check(sqlite3_exec(opened, schema, nullptr, nullptr, nullptr));
  }

  std::set<std::string> record(const std::map<std::string, std::string>& deliveries) override {
    std::set<std::string> recorded;
    Writing writing(*this);
    for (const auto& [id, body] : deliveries) {
      const char* insert =
          "INSERT INTO webhook_events(id, body) VALUES($1, $2) ON CONFLICT DO NOTHING RETURNING 1";
      if (!execute(insert, {id, body}).empty()) recorded.insert(id);
    }
    writing.commit();
    return recorded;
  }

  bool handle_next(const Handler& handler, const Failed& failed) override {
    const auto event = execute(
        "SELECT id, body FROM webhook_events WHERE handled_at IS NULL AND try_at <= CURRENT_TIMESTAMP"
        " ORDER BY try_at, rowid LIMIT 1");
    if (event.empty()) return false;
    try {
      handled_id_ = event[0];
      handler(*this, event[0], event[1]);
      begin();
      writing_->commit();
      writing_.reset();
    } catch (...) {
      const std::string reason = current_reason();
      failed(event[0], reason);
      writing_.reset();
      const std::lock_guard lock(turn);
      execute(
          "UPDATE webhook_events SET attempts = attempts + 1, reason = $1,"
          " try_at = datetime('now', min(1 << min(attempts, 12), 3600) || ' seconds')"
          " WHERE id = $2 AND handled_at IS NULL",
          {printable(reason), event[0]});
    }
    return true;
  }

 private:
  // A turn, and the transaction in it, which is undone unless it is committed.
  class Writing {
   public:
    explicit Writing(SqliteStore& store) : store_(store), lock_(turn) { store_.execute("BEGIN IMMEDIATE"); }
    Writing(const Writing&) = delete;
    Writing& operator=(const Writing&) = delete;
    ~Writing() {
      if (!committed_) sqlite3_exec(store_.db_.get(), "ROLLBACK", nullptr, nullptr, nullptr);
    }
    void commit() {
      store_.execute("COMMIT");
      committed_ = true;
    }

   private:
    SqliteStore& store_;
    std::lock_guard<std::mutex> lock_;
    bool committed_ = false;
  };

  Values run(const std::string& sql, const Values& values) override {
    begin();
    return execute(sql, values);
  }

  // The turn of a handler begins with its first statement: what it does before does not hold up deliveries.
  void begin() {
    if (writing_) return;
    writing_.emplace(*this);
    const char* mark =
        "UPDATE webhook_events SET handled_at = CURRENT_TIMESTAMP WHERE id = $1 AND handled_at IS NULL RETURNING "
        "1";
    if (execute(mark, {handled_id_}).empty()) throw std::runtime_error("another process has handled it");
  }

  // Runs one statement, and returns the values of its rows.
  Values execute(const std::string& sql, const Values& values = {}) {
    sqlite3_stmt* prepared = nullptr;
    check(sqlite3_prepare_v2(db_.get(), sql.c_str(), -1, &prepared, nullptr));
    const std::unique_ptr<sqlite3_stmt, int (*)(sqlite3_stmt*)> statement(prepared, sqlite3_finalize);
    int status = 0, index = 0;
    for (const auto& v : values) {
      check(sqlite3_bind_text(prepared, ++index, v.data(), static_cast<int>(v.size()), SQLITE_STATIC));
    }
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
    if (status != SQLITE_OK) throw std::runtime_error(std::string("SQLite: ") + sqlite3_errmsg(db_.get()));
  }

  std::unique_ptr<sqlite3, int (*)(sqlite3*)> db_{nullptr, sqlite3_close};
  std::string handled_id_;
  std::optional<Writing> writing_;
};

}  // namespace

std::unique_ptr<Store> open_sqlite(const std::string& path, Purpose purpose) {
  return std::make_unique<SqliteStore>(path, purpose);
}

std::unique_ptr<Store> open_store(const std::string& database, Purpose purpose) {
  if (database.find("://") == std::string::npos) return open_sqlite(database, purpose);
#ifdef WITH_POSTGRES
  return open_postgres(database, purpose);
#else
  throw std::runtime_error("built without PostgreSQL");
#endif
}
