// SPDX-License-Identifier: MIT
// Events in a file, for one machine.
#include "store.hpp"

#include <sqlite3.h>
#include <sys/stat.h>

#include <mutex>
#include <regex>
#include <stdexcept>
#include <utility>

namespace {

const char* const schema = R"(
  CREATE TABLE IF NOT EXISTS webhook_events(
    id TEXT PRIMARY KEY NOT NULL,  -- the webhook-id
    body TEXT NOT NULL,            -- as received
    received_at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP, handled_at TEXT,
    try_at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP,
    attempts INTEGER NOT NULL DEFAULT 0, reason TEXT);  -- why the last one that failed did
  CREATE INDEX IF NOT EXISTS webhook_events_due ON webhook_events(try_at) WHERE handled_at IS NULL;
  CREATE TABLE IF NOT EXISTS notes(event_id TEXT NOT NULL, note TEXT NOT NULL);  -- by handle() in main.cpp
)";

const char* const insert =
    "INSERT INTO webhook_events(id, body) VALUES($1, $2) ON CONFLICT DO NOTHING RETURNING 1";
const char* const next = R"(
  SELECT id FROM webhook_events WHERE handled_at IS NULL AND try_at <= CURRENT_TIMESTAMP
  ORDER BY try_at, rowid LIMIT 1)";
const char* const claim = R"(
  UPDATE webhook_events SET attempts = attempts + 1,
    try_at = datetime('now', min(1 << min(attempts, 12), 3600) || ' seconds')
  WHERE id = $1 AND handled_at IS NULL AND try_at <= CURRENT_TIMESTAMP RETURNING id, body)";
const char* const mark = R"(
  UPDATE webhook_events SET handled_at = CURRENT_TIMESTAMP WHERE id = $1 AND handled_at IS NULL RETURNING 1)";
const char* const put_off = R"(
  UPDATE webhook_events SET reason = $1,
    try_at = datetime('now', min(1 << min(attempts - 1, 12), 3600) || ' seconds')
  WHERE id = $2 AND handled_at IS NULL)";

struct Busy : std::runtime_error {
  using runtime_error::runtime_error;
};

// SQLite lets one connection write at a time. Those of this process take turns, which is faster than to try again.
// Other processes may have the file open too, such as the next receiver, or the sqlite3 shell.
std::mutex turn;

class SqliteStore final : public Store, private Transaction {
 public:
  SqliteStore(std::string path, Purpose purpose) : path_(std::move(path)), purpose_(purpose) {
    if (sqlite3_libversion_number() < 3035000) {
      throw std::runtime_error(std::string("SQLite: this is ") + sqlite3_libversion() + ", and 3.35 is needed");
    }
    try {
      take_turn();
    } catch (const Busy&) {  // for now
    }
  }
  ~SqliteStore() override {
    const std::lock_guard lock(turn);
    all_.erase(this);
    db_.reset();
  }

  std::set<std::string> record(const std::map<std::string, std::string>& deliveries) override {
    std::set<std::string> recorded;
    const Turn taken = take_turn();
    execute("BEGIN IMMEDIATE");
    for (const auto& [id, body] : deliveries) {
      if (!execute(insert, {id, body}).empty()) recorded.insert(id);
    }
    execute("COMMIT");
    check_file();
    return recorded;
  }

  bool handle_next(const Handler& handler, const Failed& failed) override {
    const auto event = claim_next();
    if (event.empty()) return false;
    try {
      handled_id_ = event[0];
      handler(*this, event[0], event[1]);
      begin();
      execute("COMMIT");
      turn_.reset();
    } catch (...) {
      const std::string reason = current_reason();
      turn_.reset();
      failed(event[0], reason);
      const Turn taken = take_turn();
      execute(put_off, {printable(reason), event[0]});
    }
    return true;
  }

 private:
  // When it ends, what is not committed is undone.
  using Turn = std::unique_ptr<SqliteStore, void (*)(SqliteStore*)>;
  Turn take_turn() {
    turn.lock();
    Turn taken(this, [](SqliteStore* store) {
      sqlite3* const db = store->db_.get();
      if (db && !sqlite3_get_autocommit(db)) sqlite3_exec(db, "ROLLBACK", nullptr, nullptr, nullptr);
      turn.unlock();
    });
    connect();
    return taken;
  }

  Values claim_next() {
    const Turn taken = take_turn();
    check_file();
    const auto id = execute(next);  // which waits for nobody who writes
    return id.empty() ? id : execute(claim, id);
  }

  Values run(const std::string& sql, const Values& values) override {
    begin();
    return execute(sql, values);
  }

  // The turn of a handler begins with its first statement: what it does before does not hold up deliveries.
  void begin() {
    if (turn_) return;
    turn_ = take_turn();
    execute("BEGIN IMMEDIATE");
    if (execute(mark, {handled_id_}).empty()) throw std::runtime_error("another process has handled it");
  }

  void connect() try {
    if (db_) return;
    sqlite3* opened = nullptr;
    const mode_t mask = umask(077);  // the bodies are for the owner alone
    const int status = sqlite3_open(path_.c_str(), &opened);
    umask(mask);
    db_.reset(opened);
    check(status);
    sqlite3_busy_timeout(opened, 3000);
    if (execute("PRAGMA journal_mode = WAL") != Values{"wal"}) {
      throw std::runtime_error("SQLite: no write-ahead log is possible here: is it a network file system?");
    }
    // FULL: a commit waits for the disk, for it and all before it. NORMAL: it does not, and after a power cut the
    // last events are handled once more: the marks are gone, and what the handlers wrote.
    execute(purpose_ == Purpose::record ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL");
    check(sqlite3_exec(opened, schema, nullptr, nullptr, nullptr));
    all_.insert(this);
  } catch (...) {
    db_.reset();
    throw;
  }

  // Closes all connections to a file that was deleted or replaced: with a new one they would share its log.
  void check_file() {
    int moved = 0;
    check(sqlite3_file_control(db_.get(), "main", SQLITE_FCNTL_HAS_MOVED, &moved));
    if (!moved) return;
    for (auto* store : all_) store->db_.reset();
    throw std::runtime_error("SQLite: the file was deleted or replaced");
  }

  // Runs one statement, and returns the values of its rows.
  Values execute(const std::string& sql, const Values& values = {}) {
    sqlite3_stmt* prepared = nullptr;
    const char* rest = nullptr;
    check(sqlite3_prepare_v2(db_.get(), sql.data(), static_cast<int>(sql.size()), &prepared, &rest));
    const std::unique_ptr<sqlite3_stmt, int (*)(sqlite3_stmt*)> statement(prepared, sqlite3_finalize);
    int n = 0, status = 0;
    for (const auto& value : values) {
      const int index = sqlite3_bind_parameter_index(prepared, ('$' + std::to_string(++n)).c_str());
      check(sqlite3_bind_text(prepared, index, value.data(), static_cast<int>(value.size()), SQLITE_STATIC));
    }
    const bool one = std::string(rest, sql.data() + sql.size()).find_first_not_of(" \n;") == std::string::npos;
    if (!one || sqlite3_bind_parameter_count(prepared) != n) {
      throw std::runtime_error("SQLite: it takes one statement, and a value for each parameter");
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
    if (status == SQLITE_BUSY) throw Busy("SQLite: the database is locked");
    if (status != SQLITE_OK) throw std::runtime_error(std::string("SQLite: ") + sqlite3_errmsg(db_.get()));
  }

  static inline std::set<SqliteStore*> all_;  // those of this process that are connected
  const std::string path_;
  const Purpose purpose_;
  std::unique_ptr<sqlite3, int (*)(sqlite3*)> db_{nullptr, sqlite3_close};
  std::string handled_id_;
  Turn turn_{nullptr, nullptr};
};

}  // namespace

std::unique_ptr<Store> open_store(const std::string& database, Purpose purpose) {
  const auto begins = [&](const char* expression) {
    return std::regex_search(database, std::regex(expression), std::regex_constants::match_continuous);
  };
  if (begins("postgres(ql)?://|\\s*\\w+\\s*=")) {
#ifdef WITH_POSTGRES
    return open_postgres(database, purpose);
#else
    throw std::runtime_error("built without PostgreSQL");
#endif
  }
  if (!begins("\\s*$|[\\w.+-]*:")) return std::make_unique<SqliteStore>(database, purpose);
  throw std::runtime_error("the database is neither a postgresql:// URL nor the path of a file");
}
