// SPDX-License-Identifier: MIT
// Prints a Timestamp in a time zone, and the time between two, with C++20. timestamps_date.cpp does it with date.
#include <anthropic/webhooks/timestamp.hpp>

#include <chrono>
#include <format>
#include <iostream>

using anthropic::webhooks::parse_timestamp;

int main() {
  const auto started = parse_timestamp("2026-03-15T09:47:30Z");
  const auto idled = parse_timestamp("2026-03-15T10:00:00.25Z");

  std::cout << std::format("{:%F %T %Z}\n", std::chrono::zoned_time("Europe/Berlin", idled));
  std::cout << std::format("{:%T}\n", std::chrono::floor<std::chrono::seconds>(idled - started));
}
