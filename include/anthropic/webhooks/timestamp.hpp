// SPDX-License-Identifier: MIT
#pragma once

#include <anthropic/webhooks/detail/text.hpp>
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
#include <utility>

namespace anthropic::webhooks {

/// Parses an RFC 3339 date-time (section 5.6), such as "2026-03-15T10:00:00.25+01:00".
///
/// The year must be 0000 to 9999, in UTC as well. It drops the digits of a fraction after the sixth.
/// A leap second, 23:59:60 in UTC, becomes the midnight that follows it.
/// Returns std::nullopt for anything else.
[[nodiscard]] std::optional<Timestamp> try_parse_timestamp(std::string_view text) noexcept;

/// Formats a time in UTC with `Z`: without a fraction when it is a whole second, else with six digits. Returns
/// std::nullopt outside the years 0000 to 9999.
[[nodiscard]] std::optional<std::string> try_format_timestamp(Timestamp time);

#if defined(__cpp_exceptions) || defined(_CPPUNWIND)
/// Like the two above, but these throw if those return std::nullopt.
/// @throws WebhookParseError with WebhookErrc::invalid_timestamp.
[[nodiscard]] Timestamp parse_timestamp(std::string_view text);
[[nodiscard]] std::string format_timestamp(Timestamp time);
#endif

// ---------------------------------------------------------------------------------------------------

namespace detail {

inline constexpr const char* expected_timestamp = "expected an RFC 3339 date-time such as 2026-03-15T10:00:00Z";
inline constexpr const char* unformattable_timestamp = "a time outside the years 0000 to 9999";

// The Gregorian calendar of the years 0000 to 9999. It is written out here because including <date/date.h>, with
// its streams and locales, costs 0.7 of the compile time of <anthropic/webhooks/unwrap.hpp>.

using days = std::chrono::duration<std::int64_t, std::ratio<86400>>;

constexpr bool is_leap(int year) noexcept { return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0); }

/// The days from 0000-01-01 to the first of a month. Month 13 is January of the next year.
constexpr days days_before(int year, int month) noexcept {
  constexpr std::array before_month{0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365};
  const int earlier_leap_days = (year + 3) / 4 - (year + 99) / 100 + (year + 399) / 400;
  return days{365 * year + earlier_leap_days + before_month[static_cast<std::size_t>(month - 1)] +
              (month > 2 && is_leap(year) ? 1 : 0)};
}

constexpr days days_in(int year, int month) noexcept {
  if (month == 2) return days{is_leap(year) ? 29 : 28};
  return days{month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31};
}

inline constexpr Timestamp first_timestamp{-days_before(1970, 1)};
inline constexpr Timestamp end_of_timestamps{first_timestamp + days_before(10000, 1)};

/// Whether `time` is in the years 0000 to 9999, all that four digits can say.
constexpr bool is_rfc3339(Timestamp time) noexcept { return time >= first_timestamp && time < end_of_timestamps; }

/// Eight characters of a date-time: a 0 stands for any digit, and all else for itself.
struct date_time_layout {
  constexpr explicit date_time_layout(const char (&layout)[9]) noexcept : text(load_little_endian(layout)) {
    for (int i = 0; i < 8; ++i) digits |= layout[i] == '0' ? std::uint64_t{0xFF} << (8 * i) : 0;
  }

  std::uint64_t text;
  std::uint64_t digits = 0;
};

/// Eight characters of a date-time, read at once. What differs from the layout is the value of each digit, and 0
/// elsewhere. A digit has a value below 10 if neither it nor it plus 6 has a bit above the lower four.
struct date_time_part {
#ifdef __clang__
  [[clang::no_sanitize("unsigned-integer-overflow")]]  // for what is no date-time
#endif
  date_time_part(const char* text, const date_time_layout& layout) noexcept {
    const std::uint64_t difference = load_little_endian(text) ^ layout.text;
    const std::uint64_t beyond_nine = (difference | (difference + 6 * ones)) & (0xF0 * ones);
    good = ((difference & ~layout.digits) | (beyond_nine & layout.digits)) == 0;
    pairs = 10 * difference + (difference >> 8);
  }

  /// The number that the digits at `at` and behind it make, if all is good.
  [[nodiscard]] int two_digits(int at) const noexcept { return static_cast<int>(pairs >> (8 * at) & 0xFF); }

  std::uint64_t pairs;
  bool good;
};

}  // namespace detail

inline std::optional<Timestamp> try_parse_timestamp(std::string_view text) noexcept {
  using namespace std::chrono;
  constexpr std::size_t size_without_zone = std::string_view("0000-00-00T00:00:00").size();
  if (text.size() <= size_without_zone) return std::nullopt;
  static constexpr detail::date_time_layout year_and_month("0000-00-");
  static constexpr detail::date_time_layout from_day_upper("00T00:00");
  static constexpr detail::date_time_layout from_day_lower("00t00:00");
  static constexpr detail::date_time_layout time("00:00:00");
  const detail::date_time_part date(text.data(), year_and_month);
  const detail::date_time_part day_and_t(text.data() + 8, text[10] == 't' ? from_day_lower : from_day_upper);
  const detail::date_time_part time_of_day(text.data() + 11, time);
  const int year = 100 * date.two_digits(0) + date.two_digits(2);
  const int month = date.two_digits(5);
  const detail::days day{day_and_t.two_digits(0)};
  const int hour = time_of_day.two_digits(0);
  const int minute = time_of_day.two_digits(3);
  const int second = time_of_day.two_digits(6);
  bool good = date.good && day_and_t.good && time_of_day.good && month >= 1 && month <= 12 && day.count() >= 1 &&
              hour < 24 && minute < 60 && second <= 60;
  if (!good) return std::nullopt;
  if (day > detail::days_in(year, month)) return std::nullopt;
  const detail::days midnight = detail::days_before(year, month) + day - detail::days{1};
  text.remove_prefix(size_without_zone);

  // In 64 bits: the standard's hours and minutes may have fewer.
  seconds to_the_minute = midnight + seconds{3600 * hour + 60 * minute};
  if ((text == "Z" || text == "z") && second < 60) {
    return detail::first_timestamp + (to_the_minute + seconds{second});  // as nearly all do
  }

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

  if (text.size() == 6 && (text[0] == '+' || text[0] == '-')) {
    // "+00:00", padded to the eight characters of a part.
    const std::array<char, 8> padded{text[1], text[2], text[3], text[4], text[5], ':', '0', '0'};
    const detail::date_time_part hours_and_minutes(padded.data(), time);
    const int offset_hour = hours_and_minutes.two_digits(0);
    const int offset_minute = hours_and_minutes.two_digits(3);
    good &= hours_and_minutes.good && offset_hour < 24 && offset_minute < 60;
    const seconds offset{3600 * offset_hour + 60 * offset_minute};
    to_the_minute += text[0] == '-' ? offset : -offset;
  } else {
    good &= text == "Z" || text == "z";
  }
  if (!good) return std::nullopt;

  if (second == 60) {
    if ((to_the_minute + minutes{1}) % detail::days{1} != seconds{0}) return std::nullopt;
    fraction = microseconds{0};  // so that no leap second sorts after the midnight that follows it
  }
  const Timestamp result = detail::first_timestamp + to_the_minute + seconds{second} + fraction;
  if (!detail::is_rfc3339(result)) return std::nullopt;
  return result;
}

inline std::optional<std::string> try_format_timestamp(Timestamp time) {
  std::optional<std::string> result;
  if (!detail::is_rfc3339(time)) return result;
  auto rest = time - detail::first_timestamp;
  const auto date = std::chrono::duration_cast<detail::days>(rest);
  int year = static_cast<int>(date / detail::days{366});  // or a few later
  while (detail::days_before(year + 1, 1) <= date) ++year;
  int month = 1;
  while (detail::days_before(year, month + 1) <= date) ++month;

  std::string& text = result.emplace();
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
  return result;
}

#if defined(__cpp_exceptions) || defined(_CPPUNWIND)
inline Timestamp parse_timestamp(std::string_view text) {
  const auto time = try_parse_timestamp(text);
  if (!time) throw WebhookParseError(WebhookErrc::invalid_timestamp, "", detail::expected_timestamp);
  return *time;
}

inline std::string format_timestamp(Timestamp time) {
  auto text = try_format_timestamp(time);
  if (!text) throw WebhookParseError(WebhookErrc::invalid_timestamp, "", detail::unformattable_timestamp);
  return *std::move(text);
}
#endif

}  // namespace anthropic::webhooks
