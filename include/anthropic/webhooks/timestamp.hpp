// SPDX-License-Identifier: MIT
#pragma once

#include <anthropic/webhooks/error.hpp>
#include <anthropic/webhooks/events.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <ratio>
#include <string>
#include <string_view>

namespace anthropic::webhooks {

/// Parses an RFC 3339 date-time (section 5.6), such as "2026-03-15T10:00:00.25+01:00".
///
/// It takes years 0000 to 9999 (of the result in UTC too), any number of
/// fraction digits, of which those after the sixth are dropped, and a leap second,
/// 23:59:60 in UTC, which becomes the midnight that follows it.
/// @throws WebhookParseError with WebhookErrc::invalid_timestamp for anything else.
[[nodiscard]] Timestamp parse_timestamp(std::string_view text);

/// Parses like parse_timestamp(), and returns nothing where that throws.
[[nodiscard]] std::optional<Timestamp> try_parse_timestamp(std::string_view text) noexcept;

/// Formats a time in UTC with `Z`: without a fraction when it is a whole second, else with six digits.
/// @throws WebhookParseError with WebhookErrc::invalid_timestamp outside the years 0000 to 9999.
[[nodiscard]] std::string format_timestamp(Timestamp time);

// ---------------------------------------------------------------------------------------------------

namespace detail {

inline constexpr const char* expected_timestamp = "expected an RFC 3339 date-time such as 2026-03-15T10:00:00Z";
inline constexpr const char* unformattable_timestamp = "a time outside the years 0000 to 9999";

// The Gregorian calendar of the years 0000 to 9999. It is written out here because <date/date.h>, with the streams
// and locales that it includes, would be a tenth of what <anthropic/webhooks.hpp> costs to compile.

using days = std::chrono::duration<std::int64_t, std::ratio<86400>>;

/// From 0000-01-01 to the first of `month`, which is 1 to 13, of `year`.
constexpr days days_before(int year, int month) noexcept {
  constexpr std::array before_month{0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365};
  const bool is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
  const int earlier_leap_days = (year + 3) / 4 - (year + 99) / 100 + (year + 399) / 400;
  return days{365 * year + earlier_leap_days + before_month[static_cast<std::size_t>(month - 1)] +
              (is_leap && month > 2 ? 1 : 0)};
}

inline constexpr Timestamp first_timestamp{-days_before(1970, 1)};
inline constexpr Timestamp end_of_timestamps{first_timestamp + days_before(10000, 1)};

/// Whether `time` is in the years 0000 to 9999, all that four digits can say.
constexpr bool is_rfc3339(Timestamp time) noexcept { return time >= first_timestamp && time < end_of_timestamps; }

}  // namespace detail

inline std::optional<Timestamp> try_parse_timestamp(std::string_view text) noexcept {
  using namespace std::chrono;
  constexpr std::string_view layout = "0000-00-00T00:00:00";
  if (text.size() <= layout.size()) return std::nullopt;
  bool good = true;
  const auto number = [&](std::size_t at, std::size_t digits) {
    int value = 0;
    for (std::size_t i = at; i < at + digits; ++i) {
      good &= text[i] >= '0' && text[i] <= '9';
      value = 10 * value + (text[i] - '0');
    }
    return value;
  };
  const auto is = [&](std::size_t at, char c) { return text[at] == c; };

  const int year = number(0, 4);
  const int month = number(5, 2);
  const detail::days day{number(8, 2)};
  const int hour = number(11, 2);
  const int minute = number(14, 2);
  const int second = number(17, 2);
  good &= is(4, '-') && is(7, '-') && (is(10, 'T') || is(10, 't')) && is(13, ':') && is(16, ':');
  good &= month >= 1 && month <= 12 && day.count() >= 1 && hour < 24 && minute < 60 && second <= 60;
  if (!good) return std::nullopt;
  const detail::days midnight = detail::days_before(year, month) + day - detail::days{1};
  if (midnight >= detail::days_before(year, month + 1)) return std::nullopt;
  text.remove_prefix(layout.size());

  microseconds fraction{0};
  if (text.front() == '.') {
    text.remove_prefix(1);
    const std::size_t digits = (std::min)(text.find_first_not_of("0123456789"), text.size());
    good &= digits > 0;
    microseconds unit{100000};
    for (const char digit : text.substr(0, digits)) {
      fraction += (digit - '0') * unit;
      unit /= 10;
    }
    text.remove_prefix(digits);
  }

  minutes offset{0};
  if (text.size() == 6 && (is(0, '+') || is(0, '-'))) {
    const int offset_hour = number(1, 2);
    const int offset_minute = number(4, 2);
    good &= is(3, ':') && offset_hour < 24 && offset_minute < 60;
    offset = hours{offset_hour} + minutes{offset_minute};
    if (is(0, '-')) offset = -offset;
  } else {
    good &= text == "Z" || text == "z";
  }
  if (!good) return std::nullopt;

  // In 64 bits: the standard's hours and minutes may have fewer.
  const seconds to_the_minute = midnight + seconds{3600 * hour + 60 * minute} - offset;
  if (second == 60) {
    if ((to_the_minute + minutes{1}) % detail::days{1} != seconds{0}) return std::nullopt;
    fraction = microseconds{0};  // so that no leap second sorts after the midnight that follows it
  }
  const Timestamp time = detail::first_timestamp + to_the_minute + seconds{second} + fraction;
  if (!detail::is_rfc3339(time)) return std::nullopt;
  return time;
}

inline Timestamp parse_timestamp(std::string_view text) {
  const auto time = try_parse_timestamp(text);
  if (!time) throw WebhookParseError(WebhookErrc::invalid_timestamp, "", detail::expected_timestamp);
  return *time;
}

inline std::string format_timestamp(Timestamp time) {
  if (!detail::is_rfc3339(time)) {
    throw WebhookParseError(WebhookErrc::invalid_timestamp, "", detail::unformattable_timestamp);
  }
  auto rest = time - detail::first_timestamp;
  const auto date = std::chrono::duration_cast<detail::days>(rest);
  int year = static_cast<int>(date / detail::days{366});  // or a few later
  while (detail::days_before(year + 1, 1) <= date) ++year;
  int month = 1;
  while (detail::days_before(year, month + 1) <= date) ++month;

  std::string text;
  text.reserve(sizeof "0000-00-00T00:00:00.000000Z");
  const auto append = [&text](auto value, std::size_t digits, char after) {
    const auto decimal = std::to_string(value);
    text.append(digits - decimal.size(), '0').append(decimal).push_back(after);
  };
  const auto append_next = [&](auto unit, char after) {
    append(rest / unit, 2, after);
    rest %= unit;
  };
  append(year, 4, '-');
  append(month, 2, '-');
  append((date - detail::days_before(year, month)).count() + 1, 2, 'T');
  rest %= detail::days{1};
  append_next(std::chrono::hours{1}, ':');
  append_next(std::chrono::minutes{1}, ':');
  append_next(std::chrono::seconds{1}, '.');
  const auto fraction = rest.count();
  if (fraction == 0) {
    text.back() = 'Z';
  } else {
    append(fraction, 6, 'Z');
  }
  return text;
}

}  // namespace anthropic::webhooks
