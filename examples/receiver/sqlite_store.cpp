// SPDX-License-Identifier: MIT
// Events in a file, for one machine.
#include "shared_store.hpp"
#include "sqlite_connection.hpp"

#include <chrono>
#include <mutex>
#include <utility>

namespace {

const char* const schema = R"(
  CREATE TABLE IF NOT EXISTS webhook_events(
    id TEXT PRIMARY KEY NOT NULL,  -- the webhook-id
    body TEXT NOT NULL,            -- as received
    received_at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP, handled_at TEXT,
    try_at TEXT DEFAULT CURRENT_TIMESTAMP,  -- NULL where the body does not parse: when a receiver starts
    attempts INTEGER NOT NULL DEFAULT 0, reason TEXT);  -- why the last one that failed did
  CREATE INDEX IF NOT EXISTS webhook_events_new ON webhook_events(received_at)
    WHERE handled_at IS NULL AND attempts = 0;
  CREATE INDEX IF NOT EXISTS webhook_events_tried ON webhook_events(try_at)
    WHERE handled_at IS NULL AND attempts > 0;
  CREATE INDEX IF NOT EXISTS webhook_events_due ON webhook_events(try_at) WHERE handled_at IS NULL;
  CREATE TABLE IF NOT EXISTS notes(event_id TEXT NOT NULL, note TEXT NOT NULL);  -- by handle() in main.cpp)";

const char* const add = "INSERT INTO webhook_events(id, body) VALUES($1, $2) ON CONFLICT DO NOTHING RETURNING 1";
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

// SQLite lets one connection write at a time. Those of this process take turns, which is faster than to try again.
std::timed_mutex turn;

class SqliteStore final : public SharedStore, private Transaction {
 public:
  SqliteStore(std::string path, Purpose purpose) : path_(std::move(path)), purpose_(purpose) {
    if (sqlite3_libversion_number() < 3035000) throw std::runtime_error("SQLite: version 3.35 or newer is needed");
    try {
      take_turn();
    } catch (const Busy&) {  // for now
    }
  }
  ~SqliteStore() override {
    const std::lock_guard lock(turn);
    all_.erase(this);
  }

  std::set<std::string> record(const std::map<std::string, std::string>& deliveries) override {
    std::set<std::string> recorded;
    const Turn taken = take_turn();
    db_.execute("BEGIN IMMEDIATE");
    for (const auto& [id, body] : deliveries) {
      if (!db_.execute(add, {id, body}).empty()) recorded.insert(id);
    }
    db_.execute("COMMIT");
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
      db_.execute("COMMIT");
      turn_.reset();
    } catch (...) {
      const std::string reason = current_reason();
      turn_.reset();
      reason_and_id_ = {printable(reason), event[0]};
      failed(event[0], reason);
      const Turn taken = take_turn();
      write_reason();
    }
    return true;
  }

 private:
  // When it ends, what is not committed is undone.
  using Turn = std::unique_ptr<SqliteStore, void (*)(SqliteStore*)>;
  Turn take_turn() {
    if (!turn.try_lock_for(std::chrono::seconds(3))) throw Busy("SQLite: a handler is still writing");
    Turn taken(this, [](SqliteStore* store) {
      store->db_.roll_back();
      turn.unlock();
    });
    connect();
    return taken;
  }

  Values claim_next() {
    const Turn taken = take_turn();
    check_file();
    write_reason();
    const auto id = db_.execute(next);  // which waits for nobody who writes
    return id.empty() ? id : db_.execute(claim, id);
  }

  Values read(const std::string& sql) override {
    const Turn taken = take_turn();
    return db_.execute(sql);
  }
  std::string age_of(const std::string& column) const override {
    return "strftime('%s', 'now') - strftime('%s', " + column + ")";
  }

  // If that fails, it is done before the next claim.
  void write_reason() {
    if (!reason_and_id_.empty()) db_.execute(put_off, reason_and_id_);
    reason_and_id_.clear();
  }

  Values run(const std::string& sql, const Values& values) override {
    begin();
    return db_.execute(sql, values);
  }

  // The turn of a handler begins with its first statement: what it does before does not hold up deliveries.
  void begin() {
    if (turn_ && !db_.in_transaction()) throw std::runtime_error("SQLite: the transaction has ended");
    if (turn_) return;
    Turn taken = take_turn();
    db_.execute("BEGIN IMMEDIATE");
    if (db_.execute(mark, {handled_id_}).empty()) throw std::runtime_error("another process has handled it");
    turn_ = std::move(taken);
  }

  void connect() try {
    if (db_.is_open()) return;
    db_.open(path_);
    const bool logs = db_.execute("PRAGMA journal_mode = WAL") == Values{"wal"};
    if (!logs) throw std::runtime_error("SQLite: no write-ahead log is possible here: a network file system?");
    // FULL: a commit waits for the disk, for it and all before it. NORMAL: it does not, and after a power cut the
    // last events are handled once more: the marks are gone, and what the handlers wrote.
    db_.execute(purpose_ == Purpose::record ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL");
    db_.execute_all(schema);
    all_.insert(this);
  } catch (...) {
    db_.close();
    throw;
  }

  // Closes all connections to a file that was deleted or replaced: with a new one they would share its log.
  void check_file() {
    if (!db_.is_lost()) return;
    for (auto* store : all_) store->db_.close();
    throw std::runtime_error("SQLite: the file was deleted or replaced");
  }

  static inline std::set<SqliteStore*> all_;  // those of this process that are connected
  const std::string path_;
  const Purpose purpose_;
  SqliteConnection db_;
  std::string handled_id_;
  Values reason_and_id_;  // to be written
  Turn turn_{nullptr, nullptr};
};

}  // namespace

std::unique_ptr<Store> open_sqlite(const std::string& path, Purpose purpose) {
  return std::make_unique<SqliteStore>(path, purpose);
}
