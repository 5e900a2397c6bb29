// SPDX-License-Identifier: MIT
// Events in PostgreSQL, for any number of receivers on any number of machines.
#include "postgres_connection.hpp"
#include "shared_store.hpp"

namespace {

using namespace std::chrono_literals;

// Without a message, a commit of repeated deliveries alone would write nothing, and would not wait for the
// standbys. They may lack what an earlier attempt committed.
const char* const on_disk =
    "SET LOCAL synchronous_commit = on; SELECT pg_logical_emit_message(true, 'webhooks', '')";
const std::string later = "SET LOCAL synchronous_commit = off; ";  // what is lost in a crash is done again

// A receiver needs no right to make tables that are there. The lock is for some that start at the same time.
const char* const schema = R"(
DO $$ BEGIN IF to_regclass('webhook_events') IS NULL THEN
  PERFORM pg_advisory_xact_lock(hashtext('webhook_events'));
  CREATE TABLE IF NOT EXISTS webhook_events(
    id text PRIMARY KEY,  -- the webhook-id
    body bytea NOT NULL,  -- as received; to read it: convert_from(body, 'UTF8')
    received_at timestamptz NOT NULL DEFAULT now(), handled_at timestamptz,
    try_at timestamptz DEFAULT now(),  -- NULL: when a receiver starts, since the body does not parse
    attempts int NOT NULL DEFAULT 0, reason text);  -- why the last one that failed did
  CREATE INDEX IF NOT EXISTS webhook_events_new ON webhook_events(received_at)
    WHERE handled_at IS NULL AND attempts = 0;
  CREATE INDEX IF NOT EXISTS webhook_events_tried ON webhook_events(try_at, attempts, received_at)
    WHERE handled_at IS NULL AND attempts > 0;
  CREATE TABLE IF NOT EXISTS notes(event_id text NOT NULL, note text NOT NULL);  -- by handle() in main.cpp
END IF; END $$)";

class PostgresStore final : public SharedStore {
 public:
  PostgresStore(const std::string& url, Purpose purpose, std::chrono::seconds limit)
      : SharedStore(postgres_dialect), db_(url, schema, purpose == Purpose::record ? 3s : 30s, limit + 5s) {}

  void give_up(const std::string& id) override {
    PostgresStore other(db_.url(), Purpose::handle, 30s);
    other.begin(Access::write);  // first, so that no receiver is quicker to take the event
    is_given_up_ = true;
    db_.shut_down();
    other.put_off(id);
    other.commit();
  }

 private:
  void begin(Access access) override { db_.begin(access == Access::on_disk ? on_disk : later); }
  void commit() override { db_.commit(); }
  // RELEASE comes first: a row that the transaction locks and its savepoint changes gets a multixact. Until a
  // VACUUM, each claim would look at all such rows.
  Values mark_handled(const std::string& id) override {
    check_transaction();
    return db_.execute_all("RELEASE webhook_handler; " + mark(db_.literal(id)));
  }
  void roll_back() noexcept override try {
    if (is_good() || db_.status() == PQTRANS_INERROR) db_.execute("ROLLBACK");
    if (db_.status() != PQTRANS_IDLE) db_.disconnect();
  } catch (...) {
    db_.disconnect();
  }
  void undo() noexcept override try {
    db_.execute_all("ROLLBACK TO webhook_handler; RELEASE webhook_handler");
  } catch (...) {
    roll_back();
  }
  Values execute(const std::string& sql, const Values& values) override {
    return db_.execute(sql, values, PostgresConnection::binary);
  }
  bool is_good() const override { return db_.status() == PQTRANS_INTRANS; }

  // Others pass over the row until the transaction ends. This waits instead, since others lock a row for a moment
  // before they see that it has been claimed. It is marked last: a repeated delivery waits for one that is
  // changed.
  Values claim(const std::string& next) override {
    Values event = db_.begin(later + postgres_dialect.claim_of(next) + "; COMMIT");
    if (event.empty()) return event;
    const Values body = db_.begin(later + "SELECT body FROM webhook_events WHERE handled_at IS NULL AND id = " +
                                  db_.literal(event[0]) + " FOR UPDATE; SAVEPOINT webhook_handler");
    if (body.empty()) {
      roll_back();
      return {};
    }
    event.push_back(PostgresConnection::bytes(body[0]));
    return event;
  }

  Values run_in_transaction(const std::string& sql, const Values& values) override {
    check_transaction();
    return db_.execute(sql, values);
  }
  void check_transaction() const {
    if (db_.status() == PQTRANS_IDLE) throw std::runtime_error("PostgreSQL: the transaction has ended");
  }

  void lock(const std::string& name) override {
    run("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", {name});
  }

  PostgresConnection db_;
};

}  // namespace

std::unique_ptr<Store> open_postgres(const std::string& url, Purpose purpose, std::chrono::seconds limit) {
  auto store = std::make_unique<PostgresStore>(url, purpose, limit);
  if (purpose == Purpose::record) store->check_at_start();
  return store;
}
