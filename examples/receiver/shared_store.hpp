// SPDX-License-Identifier: MIT
// What both stores have in common: all but their connections and a few words of SQL.
#pragma once

#include "dialect.hpp"
#include "store.hpp"

#include <algorithm>
#include <atomic>
#include <random>
#include <sstream>

class SharedStore : public Store, protected Transaction {
 public:
  /// Throws if the database can never work.
  void check_at_start() try { try_out(true); } catch (const DatabaseError& e) {
    if (e.kind == DatabaseError::permanent) throw;
  }

  std::set<std::string> record(const std::map<std::string, std::string>& deliveries) override {
    std::string rows;
    Values values;
    for (const auto& [id, body] : deliveries) {
      const auto n = values.size();
      rows += (n ? ",($" : "($") + std::to_string(n + 1) + ",$" + std::to_string(n + 2) + ')';
      values.insert(values.end(), {id, body});
    }
    const Values ids = transact(Access::on_disk, add + rows + " ON CONFLICT DO NOTHING RETURNING id", values);
    return {ids.begin(), ids.end()};
  }

  void check() override { try_out(false); }

  std::optional<Attempt> handle_next(const Handler& handler) override {
    write_reason();
    const Values event = or_roll_back([&] { return claim(next_event(sql_, new_first_)); });
    new_first_ = !event.empty() && event[1] != "1";  // after one that was tried
    if (event.empty()) return {};
    const std::string& id = event[0];
    std::string reason, statement = sql_.to_put_off();
    error_.clear();
    try {
      handler(*this, id, event[2]);
      if (is_good()) error_.clear();  // what the handler has recovered from is not the reason if the rest fails
      if (mark_handled(id).empty()) throw std::runtime_error("it is handled already, or gone");
      commit();
      return Attempt{id, true};
    } catch (const Unparsable& e) {
      reason = e.what();
      statement = sql_.to_put_off("NULL");
    } catch (...) {
      // In a transaction that has failed, the first error of a statement is the cause of all others.
      reason = is_good() || error_.empty() ? current_reason() : error_;
    }
    undo();
    if (is_given_up_) return Attempt{id, false, reason};
    unwritten_ = {statement, printable(reason), id};
    try {
      write_reason();
    } catch (const DatabaseError& e) {
      if (unwritten_.empty()) reason += std::string("; this is not written: ") + e.what();
    }
    return Attempt{id, false, reason};
  }

  void retry_unparsable() override {
    const std::string unparsable = " WHERE handled_at IS NULL AND attempts > 0 AND try_at IS NULL";
    transact(Access::write, "UPDATE webhook_events SET try_at = CURRENT_TIMESTAMP" + unparsable);
  }

  Backlog backlog() override {
    const auto part = [](const std::string& columns, const std::string& which) {
      return "SELECT * FROM (SELECT " + columns + " FROM webhook_events WHERE handled_at IS NULL AND attempts " +
             which + " LIMIT 100000) AS part";
    };
    const std::string age = sql_.age, columns = "received_at, attempts, try_at", all = " UNION ALL ";
    const Values counted =
        transact(Access::read,
                 "SELECT count(try_at) || ' ' || coalesce(max(CASE WHEN try_at IS NOT NULL THEN " + age +
                     " END), 0) || ' ' || count(CASE WHEN attempts > 4 THEN try_at END) || ' ' || (count(*) - "
                     "count(try_at))"
                     " FROM (" +
                     part("received_at, 0 AS attempts, received_at AS try_at", "= 0 ORDER BY received_at") + all +
                     part(columns, "> 0 AND try_at IS NOT NULL ORDER BY try_at") + all +
                     part(columns, "> 0 AND try_at IS NULL") + ") AS counted");
    Backlog backlog;
    std::istringstream(counted.at(0)) >> backlog.waiting >> backlog.age >> backlog.failing >> backlog.unparsable;
    backlog.age = std::max(backlog.age, 0L);  // if a clock was wrong
    return backlog;
  }

 protected:
  enum class Access { read, write, on_disk };
  std::atomic<bool> is_given_up_{false};

  explicit SharedStore(const Dialect& sql) : sql_(sql) {}

  /// Puts off the event of a handler that hangs.
  void put_off(const std::string& id) {
    if (execute(sql_.to_put_off(), {"its handler did not finish", id}).empty())
      throw std::runtime_error("its handler has ended");
  }

  static std::string mark(const std::string& id) {
    return "UPDATE webhook_events SET handled_at = CURRENT_TIMESTAMP WHERE handled_at IS NULL AND id = " + id +
           " RETURNING id";
  }

  template <class F>
  auto or_roll_back(F f) -> decltype(f()) try {
    return f();
  } catch (...) {
    roll_back();
    throw;
  }

  Values run(const std::string& sql, const Values& values) final {
    try {
      return run_in_transaction(sql, values);
    } catch (const std::exception& e) {
      if (error_.empty()) error_ = e.what();
      throw;
    }
  }

  virtual void begin(Access access) = 0;
  virtual Values execute(const std::string& sql, const Values& values = {}) = 0;
  virtual void commit() = 0;
  /// Runs mark() for the event of this transaction.
  virtual Values mark_handled(const std::string& id) = 0;
  virtual void roll_back() noexcept = 0;
  /// Undoes what the handler wrote. Its transaction may go on, and keep others from its event.
  virtual void undo() noexcept { roll_back(); }

  /// Counts an attempt, in a commit, and begins the transaction of its handler. Returns the id, the attempts and
  /// the body.
  virtual Values claim(const std::string& next) = 0;
  virtual Values run_in_transaction(const std::string& sql, const Values& values) = 0;
  /// Whether the transaction goes on, and no statement has failed that keeps it from a commit.
  [[nodiscard]] virtual bool is_good() const = 0;
  /// Writes to disk what will be rolled back, if the database would leave that to the commit.
  virtual void flush() {}

 private:
  static constexpr const char* add = "INSERT INTO webhook_events(id, body) VALUES";

  // In the transaction that goes on, if there is one.
  Values transact(Access access, const std::string& sql, const Values& values = {}) {
    return or_roll_back([&] {
      if (!is_good()) begin(access);
      const Values rows = execute(sql, values);
      commit();
      return rows;
    });
  }

  // The row looks like a delivery, for constraints that somebody added, and is as large, since small rows still
  // fit when the disk is full.
  void try_out(bool handles) {
    const std::string id = "whe_check" + std::to_string(std::random_device()());
    std::string body = R"({"type":"event","id":")" + id + R"(","created_at":"2026-01-01T00:00:00Z","data":{)" +
                       R"("type":"session.status_idled","id":"sesn_1","organization_id":"org_1",)" +
                       R"("workspace_id":"wrkspc_1"}})";
    body.resize(500, ' ');
    or_roll_back([&] {
      begin(Access::write);
      bool found = !execute(std::string(add) + "($1,$2) RETURNING id", {id, body}).empty();
      if (handles) found = found && try_out_handling(id);
      if (!found) throw DatabaseError(DatabaseError::permanent, "rows are hidden, perhaps by row-level security");
      flush();
    });
    roll_back();
  }

  // If the database refuses an update, no event could ever be handled.
  bool try_out_handling(const std::string& id) try {
    const bool found = !execute(sql_.claim_of(next_event(sql_, true))).empty();
    execute(sql_.to_put_off("NULL"), {"", id});
    return !execute(mark("$1"), {id}).empty() && found;
  } catch (const DatabaseError& e) {
    if (e.kind == DatabaseError::refused) throw DatabaseError(DatabaseError::permanent, e.what());
    throw;
  }

  // Drops a reason that can never be written: the claim has put the event off. Retries others before the next
  // claim.
  void write_reason() try {
    if (!unwritten_.empty()) transact(Access::write, unwritten_[0], {unwritten_[1], unwritten_[2]});
    unwritten_.clear();
  } catch (const DatabaseError& e) {
    if (e.kind != DatabaseError::temporary) unwritten_.clear();
    throw;
  }

  const Dialect& sql_;
  bool new_first_ = true;
  std::string error_;  // the first one of a statement of this handler
  Values unwritten_;   // the statement to put off an event, with the reason and the id
};
