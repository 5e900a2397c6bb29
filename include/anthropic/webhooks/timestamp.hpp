// SPDX-License-Identifier: MIT
#pragma once

#include <anthropic/webhooks/error.hpp>
#include <anthropic/webhooks/events.hpp>

#include <date/date.h>

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace anthropic::webhooks {

/// Parses an RFC 3339 date-time (section 5.6), such as "2026-03-15T10:00:00.25+01:00".
///
/// It takes years 0000 to 9999 (of the result in UTC too), any number of fraction digits, of which those after
/// the sixth are dropped, and a leap second, 23:59:60 in UTC, which becomes the midnight that follows it.
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

/// Whether `time` is in the years 0000 to 9999, all that four digits can say.
constexpr bool is_rfc3339(Timestamp time) noexcept {
  return time >= date::sys_days{date::year{0} / 1 / 1} && time < date::sys_days{date::year{10000} / 1 / 1};
}

/// Reads the text of a timestamp from left to right; ok() is false once anything was not as asked for.
class timestamp_reader {
 public:
  explicit constexpr timestamp_reader(std::string_view text) noexcept : text_(text) {}

  [[nodiscard]] constexpr bool ok() const noexcept { return ok_; }
  [[nodiscard]] constexpr bool at_end() const noexcept { return at_ == text_.size(); }
  [[nodiscard]] constexpr char peek() const noexcept { return at_end() ? '\0' : text_[at_]; }
  [[nodiscard]] constexpr bool at_digit() const noexcept { return peek() >= '0' && peek() <= '9'; }

  constexpr void expect(char upper, char lower) noexcept {
    ok_ = ok_ && (peek() == upper || peek() == lower);
    advance();
  }
  constexpr void expect(char c) noexcept { expect(c, c); }

  constexpr unsigned number(int digits) noexcept {
    unsigned value = 0;
    for (; digits > 0; --digits) value = 10 * value + digit();
    return value;
  }

  constexpr unsigned digit() noexcept {
    ok_ = ok_ && at_digit();
    const unsigned value = at_digit() ? static_cast<unsigned>(peek() - '0') : 0;
    advance();
    return value;
  }

 private:
  constexpr void advance() noexcept { at_ += at_end() ? 0 : 1; }

  std::string_view text_;
  std::size_t at_ = 0;
  bool ok_ = true;
};

}  // namespace detail

inline std::optional<Timestamp> try_parse_timestamp(std::string_view text) noexcept {
  using namespace std::chrono;
  detail::timestamp_reader in{text};

  const auto year = in.number(4);
  in.expect('-');
  const auto month = in.number(2);
  in.expect('-');
  const auto day = in.number(2);
  in.expect('T', 't');
  const auto hour = in.number(2);
  in.expect(':');
  const auto minute = in.number(2);
  in.expect(':');
  const auto second = in.number(2);

  microseconds fraction{0};
  if (in.peek() == '.') {
    in.expect('.');
    microseconds unit = 100ms;
    do {
      fraction += in.digit() * unit;
      unit /= 10;
    } while (in.at_digit());
  }

  minutes offset{0};
  if (const char sign = in.peek(); sign == '+' || sign == '-') {
    in.expect(sign);
    const hours offset_hours{in.number(2)};
    in.expect(':');
    const minutes offset_minutes{in.number(2)};
    if (offset_hours > 23h || offset_minutes > 59min) return std::nullopt;
    offset = sign == '+' ? offset_hours + offset_minutes : -(offset_hours + offset_minutes);
  } else {
    in.expect('Z', 'z');
  }

  const auto ymd = date::year{static_cast<int>(year)} / static_cast<int>(month) / static_cast<int>(day);
  if (!in.ok() || !in.at_end() || !ymd.ok() || hour > 23 || minute > 59 || second > 60) return std::nullopt;

  const auto to_the_minute = date::sys_days{ymd} + hours{hour} + minutes{minute} - offset;
  if (second == 60) {
    if (to_the_minute - date::floor<date::days>(to_the_minute) != 23h + 59min) return std::nullopt;
    fraction = 0us;  // so that no leap second sorts after the midnight that follows it
  }
  const Timestamp time = to_the_minute + seconds{second} + fraction;
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
