// SPDX-License-Identifier: MIT
// What both stores have in common.
#pragma once

#include "store.hpp"

#include <algorithm>

class SharedStore : public Store {
 public:
  // A body that does not parse has no try_at.
  Backlog backlog() override {
    const std::string rows = " (SELECT received_at, attempts, try_at FROM webhook_events WHERE handled_at IS NULL";
    const Values counted = read(
        "SELECT count(try_at), coalesce(max(CASE WHEN try_at IS NOT NULL THEN " + age_of("received_at") +
        " END), 0), count(CASE WHEN attempts >= 5 THEN try_at END), count(*) - count(try_at) FROM (SELECT * FROM" +
        rows + " AND attempts = 0 ORDER BY received_at LIMIT 100000) AS untried UNION ALL SELECT * FROM" + rows +
        " AND attempts > 0 ORDER BY try_at LIMIT 100000) AS tried) AS counted");
    const auto number = [&](std::size_t i) { return std::max(0L, std::stol(counted[i])); };
    return {number(0), number(1), number(2), number(3)};
  }

 private:
  /// Runs one statement that writes nothing.
  virtual Values read(const std::string& sql) = 0;

  /// SQL for the whole seconds since a time.
  [[nodiscard]] virtual std::string age_of(const std::string& column) const = 0;
};
