// SPDX-License-Identifier: MIT
// Prints a Timestamp in a time zone, and the time between two, with date. timestamps_chrono.cpp does it with
// C++20.
#include <anthropic/webhooks/timestamp.hpp>

#include <date/date.h>
#include <date/tz.h>

#include <chrono>
#include <iostream>

using anthropic::webhooks::parse_timestamp;

int main() {
  const auto started = parse_timestamp("2026-03-15T09:47:30Z");
  const auto idled = parse_timestamp("2026-03-15T10:00:00.25Z");

  std::cout << date::format("%F %T %Z", date::make_zoned("Europe/Berlin", idled)) << '\n';
  std::cout << date::format("%T", date::floor<std::chrono::seconds>(idled - started)) << '\n';
}
