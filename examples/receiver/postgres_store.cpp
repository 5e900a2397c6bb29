// SPDX-License-Identifier: MIT
// Events in PostgreSQL, for any number of receivers on any number of machines.
#include "postgres_connection.hpp"
#include "shared_store.hpp"

namespace {

using namespace std::chrono_literals;
using clock = std::chrono::steady_clock;

// A message is written even if no delivery is new, or the commit would not wait for the standbys. They may lack
// what is there since an earlier attempt.
const char* const to_record = "on; SELECT pg_logical_emit_message(true, 'webhook_events', '')";

// Events that were tried before are claimed one at a time: one that ends the process takes no others along then.
const char* const claim = R"(
  WITH due AS (SELECT id, attempts FROM webhook_events WHERE handled_at IS NULL AND try_at <= now()
    ORDER BY try_at LIMIT $1::text::int FOR UPDATE SKIP LOCKED), first AS (SELECT * FROM due LIMIT 1),
  claimed AS (UPDATE webhook_events event SET attempts = event.attempts + 1,
      try_at = clock_timestamp() + least(1 << least(event.attempts, 12), 3600) * interval '1 second'
    FROM due, first WHERE event.id = due.id AND (due.id = first.id OR due.attempts + first.attempts = 0)
    RETURNING event.id)
  SELECT string_agg(id, E'\n') FROM claimed)";

// Others skip the rows until the transaction ends.
const char* const take = R"(
  SELECT id, body FROM webhook_events WHERE id = ANY(string_to_array($1, E'\n')) AND handled_at IS NULL
  FOR UPDATE SKIP LOCKED)";
const char* const mark = R"(
  UPDATE webhook_events SET handled_at = clock_timestamp() WHERE id = ANY(string_to_array($1, E'\n')))";
const char* const give_back = R"(
  UPDATE webhook_events SET attempts = 0, try_at = received_at WHERE id = ANY(string_to_array($1, E'\n')))";
const char* const put_off = R"(
  UPDATE webhook_events SET reason = $1,
    try_at = clock_timestamp() + least(1 << least(attempts - 1, 12), 3600) * interval '1 second'
  WHERE id = $2 AND handled_at IS NULL)";

class PostgresStore final : public SharedStore, private Transaction {
 public:
  PostgresStore(const std::string& url, Purpose purpose) : db_(url, purpose == Purpose::record ? 3s : 30s) {
    if (purpose == Purpose::handle) return;
    try {
      record({});
      db_.execute(claim, {"0"});
    } catch (const std::exception& e) {  // Class 42: missing rights, tables, columns. All else may be well later.
      if (db_.sqlstate.compare(0, 2, "42") != 0) return;
      throw std::runtime_error(std::string("it cannot be used as it is: ") + e.what());
    }
  }

  // All insert in the order of the map, so none wait in a circle.
  std::set<std::string> record(const std::map<std::string, std::string>& deliveries) override {
    std::string rows = "VALUES";
    Values values;
    for (const auto& [id, body] : deliveries) {
      const auto n = values.size();
      rows += (n ? ",($" : "($") + std::to_string(n + 1) + "::text,$" + std::to_string(n + 2) + "::bytea)";
      values.insert(values.end(), {id, body});
    }
    if (values.empty()) rows = "SELECT '', ''::bytea WHERE false";
    for (bool used = db_.is_open();; used = false) {
      try {
        db_.begin(to_record);
        const auto ids =
            db_.execute("INSERT INTO webhook_events(id, body) " + rows + " ON CONFLICT DO NOTHING RETURNING id",
                        values, PostgresConnection::binary);
        commit();
        return {ids.begin(), ids.end()};
      } catch (...) {
        const bool lost = db_.is_lost();
        db_.disconnect();
        if (!used || !lost) throw;  // else it was lost since its last use, and may be made again
      }
    }
  }

  bool handle_next(const Handler& handler, const Failed& failed) override {
    std::string ids;
    try {
      db_.begin("off");  // a claim that is lost in a crash is made again
      const auto claimed = db_.execute(claim, {std::to_string(batch_)});
      commit();
      ids = claimed[0];
      if (!ids.empty()) handle(ids, handler, failed);
    } catch (...) {
      if (!ids.empty() && is_one(ids) && reasons_.empty()) give_up(ids, failed);
      db_.disconnect();
      batch_ = 1;
      if (reasons_.empty()) throw;
      db_.begin("off");
      commit();
    }
    return !ids.empty();
  }

 private:
  static bool is_one(const std::string& ids) { return ids.find('\n') == std::string::npos; }

  // A commit takes as long for many events as for one: those whose handlers are fast share a transaction. Their
  // rows are written last, since a repeated delivery waits for one that is.
  void handle(const std::string& ids, const Handler& handler, const Failed& failed) {
    db_.begin("on");
    const auto events = db_.execute(take, {ids}, PostgresConnection::binary);
    const auto slow = clock::now() + 20ms;
    std::string handled, left;
    for (std::size_t i = 0; i < events.size(); i += 2) {
      if (i > 0 && clock::now() > slow) {
        left += events[i] + '\n';
        continue;
      }
      db_.execute("SAVEPOINT handler");
      try {
        db_.first_error.clear();
        handler(*this, events[i], events[i + 1]);
        if (!db_.in_transaction()) db_.fail("the handler has left its transaction");
        if (is_one(ids)) db_.execute("SET CONSTRAINTS ALL IMMEDIATE");  // or the same event may fail each commit
        handled += events[i] + '\n';
      } catch (...) {
        give_up(events[i], failed);
        db_.execute("ROLLBACK TO handler");
      }
    }
    batch_ = clock::now() < slow ? std::min(2 * batch_, 32) : 1;
    if (!handled.empty()) db_.execute(mark, {handled});
    if (!left.empty()) db_.execute(give_back, {left});
    commit();
  }

  // In a transaction that has failed, the first error of a statement is the cause of all others.
  void give_up(const std::string& id, const Failed& failed) {
    const std::string& first = db_.first_error;
    const std::string reason = db_.in_transaction() || first.empty() ? current_reason() : first;
    reasons_.push_back({printable(reason), id});
    failed(id, reason);
  }

  void commit() {
    for (const auto& reason_and_id : reasons_) db_.execute(put_off, reason_and_id);
    db_.commit();
    reasons_.clear();
  }

  Values read(const std::string& sql) override {
    try {
      db_.begin("off");
      const Values values = db_.execute(sql);
      db_.commit();
      return values;
    } catch (...) {
      db_.disconnect();
      throw;
    }
  }
  std::string age_of(const std::string& column) const override {
    return "extract(epoch FROM now() - " + column + ")::bigint";
  }

  Values run(const std::string& sql, const Values& values) override { return db_.execute(sql, values); }

  PostgresConnection db_;
  std::vector<Values> reasons_;  // with the ids, to be written with the next commit
  int batch_ = 1;                // events to claim at a time
};

}  // namespace

std::unique_ptr<Store> open_postgres(const std::string& url, Purpose purpose) {
  return std::make_unique<PostgresStore>(url, purpose);
}
