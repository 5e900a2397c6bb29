// SPDX-License-Identifier: MIT
#pragma once

#include <anthropic/webhooks/error.hpp>
#include <anthropic/webhooks/events.hpp>

#include <date/date.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace anthropic::webhooks {

/// Parses an RFC 3339 date-time (section 5.6), such as
/// "2026-03-15T10:00:00.25+01:00".
///
/// It takes years 0000 to 9999 (of the result in UTC too), any number of
/// fraction digits, of which those after the sixth are dropped, and a leap
/// second, 23:59:60 in UTC, which becomes the midnight that follows it.
/// @throws WebhookParseError with WebhookErrc::invalid_timestamp for anything
/// else.
[[nodiscard]] Timestamp parse_timestamp(std::string_view text);

/// Parses like parse_timestamp(), and returns nothing where that throws.
[[nodiscard]] std::optional<Timestamp> try_parse_timestamp(std::string_view text) noexcept;

/// Formats a time in UTC with `Z`: without a fraction when it is a whole
/// second, else with six digits.
/// @throws WebhookParseError with WebhookErrc::invalid_timestamp outside the
/// years 0000 to 9999.
[[nodiscard]] std::string format_timestamp(Timestamp time);

// ---------------------------------------------------------------------------------------------------

namespace detail {

inline constexpr const char* expected_timestamp = "expected an RFC 3339 date-time such as 2026-03-15T10:00:00Z";
inline constexpr const char* unformattable_timestamp = "a time outside the years 0000 to 9999";

/// Whether `time` is in the years 0000 to 9999, all that four digits can say.
constexpr bool is_rfc3339(Timestamp time) noexcept {
  return time >= date::sys_days{date::year{0} / 1 / 1} && time < date::sys_days{date::year{10000} / 1 / 1};
}

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

  const date::year_month_day ymd = date::year{number(0, 4)} / number(5, 2) / number(8, 2);
  const hours hour{number(11, 2)};
  const minutes minute{number(14, 2)};
  const seconds second{number(17, 2)};
  good &= is(4, '-') && is(7, '-') && (is(10, 'T') || is(10, 't')) && is(13, ':') && is(16, ':');
  good &= ymd.ok() && hour < 24h && minute < 60min && second <= 60s;
  text.remove_prefix(layout.size());

  microseconds fraction{0};
  if (text.front() == '.') {
    text.remove_prefix(1);
    const std::size_t digits = (std::min)(text.find_first_not_of("0123456789"), text.size());
    good &= digits > 0;
    microseconds unit = 100ms;
    for (const char digit : text.substr(0, digits)) {
      fraction += (digit - '0') * unit;
      unit /= 10;
    }
    text.remove_prefix(digits);
  }

  minutes offset{0};
  if (text.size() == 6 && (is(0, '+') || is(0, '-'))) {
    const hours offset_hours{number(1, 2)};
    const minutes offset_minutes{number(4, 2)};
    good &= is(3, ':') && offset_hours < 24h && offset_minutes < 60min;
    offset = is(0, '+') ? offset_hours + offset_minutes : -(offset_hours + offset_minutes);
  } else {
    good &= text == "Z" || text == "z";
  }
  if (!good) return std::nullopt;

  const auto to_the_minute = date::sys_days{ymd} + hour + minute - offset;
  if (second == 60s) {
    if (to_the_minute - date::floor<date::days>(to_the_minute) != 23h + 59min) return std::nullopt;
    fraction = 0us;  // so that no leap second sorts after the midnight that follows it
  }
  const Timestamp time = to_the_minute + second + fraction;
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
  const auto midnight = date::floor<date::days>(time);
  const date::year_month_day ymd{midnight};
  const date::hh_mm_ss<std::chrono::microseconds> clock{time - midnight};

  std::string text;
  text.reserve(sizeof "0000-00-00T00:00:00.000000Z");
  const auto append = [&text](auto value, std::size_t digits, char after) {
    const auto decimal = std::to_string(value);
    text.append(digits - decimal.size(), '0').append(decimal).push_back(after);
  };
  append(int{ymd.year()}, 4, '-');
  append(unsigned{ymd.month()}, 2, '-');
  append(unsigned{ymd.day()}, 2, 'T');
  append(clock.hours().count(), 2, ':');
  append(clock.minutes().count(), 2, ':');
  append(clock.seconds().count(), 2, '.');
  const auto fraction = clock.subseconds().count();
  if (fraction == 0) {
    text.back() = 'Z';
  } else {
    append(fraction, 6, 'Z');
  }
  return text;
}

}  // namespace anthropic::webhooks
