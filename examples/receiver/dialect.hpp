// SPDX-License-Identifier: MIT
// The SQL of both databases: how the next event is found, claimed and put off.
#pragma once

#include <string>

/// The words of SQL in which the databases differ.
struct Dialect {
  const char* age;  // of an event, in whole seconds
  const char *before, *after;
  const char* unlocked;  // passes over rows that others have locked, and locks this one
  const char* claimed;

  /// A time so many seconds from now.
  [[nodiscard]] std::string in(const std::string& seconds) const { return before + seconds + after; }
  /// The time after the pause that follows `attempts` + 1 attempts.
  [[nodiscard]] std::string after_pause(const std::string& attempts) const {
    return in("CASE WHEN " + attempts + " < 12 THEN 1 << (" + attempts + ") ELSE 3600 END");
  }
  [[nodiscard]] std::string claim_of(const std::string& next) const {
    return "UPDATE webhook_events SET attempts = attempts + 1, try_at = " + after_pause("attempts") +
           " WHERE id = " + next + " RETURNING " + claimed;
  }
  /// Writes a reason ($1) for an event ($2), and has it wait, by default for its pause.
  [[nodiscard]] std::string to_put_off(const std::string& try_at) const {
    return "UPDATE webhook_events SET reason = $1, try_at = " + try_at +
           " WHERE id = $2 AND handled_at IS NULL RETURNING id";
  }
  [[nodiscard]] std::string to_put_off() const { return to_put_off(after_pause("attempts - 1")); }
};
inline constexpr Dialect sqlite_dialect{"(strftime('%s', 'now') - strftime('%s', received_at))",
                                        "datetime('now', (", ") || ' seconds')", "", "id, attempts, body"};
inline constexpr Dialect postgres_dialect{"extract(epoch FROM now() - received_at)::bigint",
                                          "(statement_timestamp() + (", ") * interval '1 second')",
                                          " FOR UPDATE SKIP LOCKED", "id, attempts"};

/// SQL for the id of a new event, or of one that was tried and is due. If that is more than an hour ahead, it was
/// put off by a clock that was wrong.
inline std::string next_event(const Dialect& sql, bool new_first) {
  const auto first = [&](const std::string& condition, const std::string& time) {
    return "(SELECT id FROM webhook_events WHERE handled_at IS NULL AND attempts " + condition + " ORDER BY " +
           time + " LIMIT 1" + sql.unlocked + ')';
  };
  const std::string untried = first("= 0", "received_at");
  const std::string tried = first("> 0 AND try_at > " + sql.in("3600"), "try_at") + ", " +
                            first("> 0 AND try_at <= CURRENT_TIMESTAMP", "try_at");
  return "coalesce(" + (new_first ? untried + ", " + tried : tried + ", " + untried) + ')';
}
