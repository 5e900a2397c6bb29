// SPDX-License-Identifier: MIT
// The SQL in which the databases differ, and how the next event is found.
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
};
inline constexpr Dialect sqlite_dialect{"(strftime('%s', 'now') - strftime('%s', received_at))",
                                        "datetime('now', (", ") || ' seconds')", "", "id, attempts, body"};
inline constexpr Dialect postgres_dialect{"extract(epoch FROM now() - received_at)::bigint", "(now() + (",
                                          ") * interval '1 second')", " FOR UPDATE SKIP LOCKED", "id, attempts"};

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
