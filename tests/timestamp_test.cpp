// SPDX-License-Identifier: MIT
#include <anthropic/webhooks/timestamp.hpp>

#include "allocations.hpp"
#include "catch.hpp"
#include "samples.hpp"

#include <date/date.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <locale>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

using namespace anthropic::webhooks;
using namespace std::literals;

namespace {

constexpr auto expected_timestamp = "expected an RFC 3339 date-time such as 2026-03-15T10:00:00Z";

constexpr struct {
  std::string_view text;
  std::int64_t microseconds;  // since 1970-01-01T00:00:00Z
} valid[] = {
    {"1970-01-01T00:00:00Z", 0},
    {"2026-03-15T10:00:00Z", 1773568800000000},
    {"2026-03-15t10:00:00z", 1773568800000000},
    {"1969-12-31T23:59:59.999999Z", -1},
    {"2026-03-15T10:00:00.5Z", 1773568800500000},
    {"2026-03-15T10:00:00.000001Z", 1773568800000001},
    {"2026-03-15T10:00:00.123456Z", 1773568800123456},
    {"2026-03-15T10:00:00.1234569Z", 1773568800123456},
    {"2026-03-15T10:00:00.9999999999Z", 1773568800999999},
    {"1969-12-31T23:59:59.1234569Z", -876544},
    {"2026-03-15T10:00:00.25+01:00", 1773565200250000},
    {"2026-03-15T10:00:00-05:30", 1773588600000000},
    {"2026-03-15T10:00:00+23:59", 1773482460000000},
    {"2026-03-15T10:00:00-23:59", 1773655140000000},
    {"2026-03-15T10:00:00+00:00", 1773568800000000},
    {"2026-03-15T10:00:00-00:00", 1773568800000000},
    {"2024-02-29T12:00:00Z", 1709208000000000},
    {"2000-02-29T12:00:00Z", 951825600000000},
    {"2026-12-31T23:59:59-00:01", 1798761659000000},
    {"2016-12-31T23:59:60Z", 1483228800000000},
    {"2016-12-31T23:59:60.999Z", 1483228800000000},
    {"1990-12-31T15:59:60-08:00", 662688000000000},
    {"2017-01-01T05:29:60+05:30", 1483228800000000},
    {"2026-03-15T23:59:60Z", 1773619200000000},
    {"0001-01-01T00:00:00Z", -62135596800000000},
    {"0000-12-31T23:59:59Z", -62135596801000000},
    {"0000-03-01T00:00:00Z", -62162035200000000},
    {"0000-02-29T00:00:00Z", -62162121600000000},
    {"0000-01-01T00:00:00Z", -62167219200000000},
    {"0000-01-01T00:00:00-00:01", -62167219140000000},
    {"9999-12-31T23:59:59.999999Z", 253402300799999999},
    {"9999-12-31T23:59:59+00:01", 253402300739000000},
};

constexpr std::string_view invalid[] = {
    // Malformed.
    "",
    "2026",
    "2026-03-15",
    "10:00:00Z",
    "2026-03-15T10:00Z",
    "2026-03-15T10:00:00",
    "2026-03-15T10Z",
    "2026-03-15 10:00:00Z",
    "2026-03-15_10:00:00Z",
    " 2026-03-15T10:00:00Z",
    "2026-03-15T10:00:00Z ",
    "2026-03-15T10:00:00Z\n",
    "2026-03-15T10:00:00ZZ",
    "2026-03-15T10:00:00Z\0"sv,
    "2026-03-15T10:00:00\0"sv,
    "\0"sv,
    "2026-3-15T10:00:00Z",
    "2026-03-5T10:00:00Z",
    "2026-03-15T1:00:00Z",
    "2026-03-15T10:0:00Z",
    "2026-03-15T10:00:0Z",
    "02026-03-15T10:00:00Z",
    "12026-03-15T10:00:00Z",
    "+2026-03-15T10:00:00Z",
    "-2026-03-15T10:00:00Z",
    "-001-03-15T10:00:00Z",
    "2026/03/15T10:00:00Z",
    "20260315T100000Z",
    "2026-03-15T10.00.00Z",
    "2026-W11-7T10:00:00Z",
    "2026-074T10:00:00Z",
    "1773568800",
    "2026-03-15T10:00:+0Z",
    "2026-03-15T10:00: 0Z",
    "2O26-03-15T10:00:00Z",
    "\xef\xbc\x92"
    "026-03-15T10:00:00Z",
    "now",
    // The fraction.
    "2026-03-15T10:00:00.Z",
    "2026-03-15T10:00:00.",
    "2026-03-15T10:00:00.5",
    "2026-03-15T10:00:00,5Z",
    "2026-03-15T10:00:00.5.5Z",
    "2026-03-15T10:00:00.-5Z",
    "2026-03-15T10:00:00.5 Z",
    "2026-03-15T10:00:00.+01:00",
    "2026-03-15T10:00.5Z",
    // The offset.
    "2026-03-15T10:00:00+24:00",
    "2026-03-15T10:00:00-24:00",
    "2026-03-15T10:00:00+99:00",
    "2026-03-15T10:00:00+00:60",
    "2026-03-15T10:00:00-23:60",
    "2026-03-15T10:00:00+1:00",
    "2026-03-15T10:00:00+0100",
    "2026-03-15T10:00:00+01",
    "2026-03-15T10:00:00+01:",
    "2026-03-15T10:00:00+01:0",
    "2026-03-15T10:00:00+01:00:00",
    "2026-03-15T10:00:00+01.00",
    "2026-03-15T10:00:00=01:00",
    "2026-03-15T10:00:00+",
    "2026-03-15T10:00:00 +01:00",
    "2026-03-15T10:00:00Z+01:00",
    "2026-03-15T10:00:00+01:00Z",
    "2026-03-15T10:00:00\xe2\x88\x92"
    "01:00",
    "2026-03-15T10:00:00UTC",
    "2026-03-15T10:00:00Z[Europe/Paris]",
    // The calendar and the clock.
    "2026-00-15T10:00:00Z",
    "2026-13-15T10:00:00Z",
    "2026-03-00T10:00:00Z",
    "2026-03-32T10:00:00Z",
    "2026-04-31T10:00:00Z",
    "2026-02-29T10:00:00Z",
    "2024-02-30T10:00:00Z",
    "1900-02-29T10:00:00Z",
    "2100-02-29T10:00:00Z",
    "2026-03-15T24:00:00Z",
    "2026-03-15T10:60:00Z",
    "2026-03-15T10:00:61Z",
    "2026-03-15T99:99:99Z",
    // Leap seconds other than 23:59:60 UTC.
    "2016-12-31T23:58:60Z",
    "2016-12-31T22:59:60Z",
    "2016-12-31T00:00:60Z",
    "2016-12-31T23:59:60+01:00",
    "2016-12-31T23:59:60-00:01",
    "2016-12-31T23:59:61Z",
    // Outside the years 0000 to 9999 in UTC.
    "0000-01-01T00:00:00+00:01",
    "0000-01-01T23:58:59.999999+23:59",
    "9999-12-31T23:59:59-00:01",
    "9999-12-31T00:01:00-23:59",
    "9999-12-31T23:59:60Z",
};

Timestamp at(std::int64_t microseconds) { return Timestamp{std::chrono::microseconds{microseconds}}; }

/// Writes 1234567 as "1'234'567".
struct grouping_numpunct : std::numpunct<char> {
  char do_thousands_sep() const override { return '\''; }
  std::string do_grouping() const override { return "\3"; }
};

struct global_locale {
  explicit global_locale(const std::locale& locale) : previous(std::locale::global(locale)) {}
  ~global_locale() { std::locale::global(previous); }
  std::locale previous;
};

}  // namespace

TEST_CASE("Timestamp is the system clock's time in microseconds") {
  static_assert(std::is_same_v<Timestamp, date::sys_time<std::chrono::microseconds>>);
}

TEST_CASE("valid timestamps are parsed") {
  for (const auto& row : valid) {
    INFO(row.text);
    CHECK(parse_timestamp(row.text).time_since_epoch().count() == row.microseconds);
    CHECK(try_parse_timestamp(row.text) == at(row.microseconds));
  }
  CHECK(parse_timestamp("2026-03-15T10:00:00." + std::string(100'000, '9') + "Z") == at(1773568800999999));
}

TEST_CASE("invalid timestamps are errors") {
  for (const std::string_view text : invalid) {
    INFO(text);
    const auto failure = samples::failure_of([&] { return parse_timestamp(text); });
    CHECK(failure.code == WebhookErrc::invalid_timestamp);
    CHECK(failure.path.empty());
    CHECK(failure.what == expected_timestamp);
    CHECK(try_parse_timestamp(text) == std::nullopt);
  }
}

TEST_CASE("no timestamp is valid with a character missing") {
  for (const auto& row : valid) {
    if (row.text.find('.') != row.text.npos) continue;  // a fraction may have one digit fewer
    for (std::size_t i = 0; i < row.text.size(); ++i) {
      const std::string text = std::string(row.text).erase(i, 1);
      INFO(text);
      CHECK_FALSE(try_parse_timestamp(text));
    }
  }
}

TEST_CASE("parsing reads no further than the view") {
  constexpr std::string_view text = "2026-03-15T10:00:00.123Z";
  CHECK(try_parse_timestamp(text));
  CHECK_FALSE(try_parse_timestamp(text.substr(0, text.size() - 1)));
  CHECK_FALSE(try_parse_timestamp({}));
}

TEST_CASE("timestamps are formatted in UTC, with six fraction digits or none") {
  constexpr struct {
    std::int64_t microseconds;
    std::string_view text;
  } rows[] = {
      {0, "1970-01-01T00:00:00Z"},
      {1773568800000000, "2026-03-15T10:00:00Z"},
      {1773568800500000, "2026-03-15T10:00:00.500000Z"},
      {1773568800000001, "2026-03-15T10:00:00.000001Z"},
      {-1, "1969-12-31T23:59:59.999999Z"},
      {-876544, "1969-12-31T23:59:59.123456Z"},
      {-62135596800000000, "0001-01-01T00:00:00Z"},
      {-62167219200000000, "0000-01-01T00:00:00Z"},
      {253402300799999999, "9999-12-31T23:59:59.999999Z"},
  };
  for (const auto& row : rows) CHECK(format_timestamp(at(row.microseconds)) == row.text);
}

TEST_CASE("a formatted timestamp is parsed to the same time") {
  for (const auto& row : valid)
    CHECK(parse_timestamp(format_timestamp(at(row.microseconds))) == at(row.microseconds));
}

TEST_CASE("the valid days are exactly those of <date/date.h>") {
  std::size_t wrong = 0;
  for (int year = 0; year < 10000; ++year) {
    for (unsigned month = 1; month <= 12; ++month) {
      for (unsigned day = 1; day <= 31; ++day) {
        const auto ymd = date::year{year} / date::month{month} / date::day{day};
        char text[32];
        std::snprintf(text, sizeof text, "%04d-%02u-%02uT12:34:56Z", year, month, day);
        const auto time = try_parse_timestamp(text);
        if (ymd.ok() ? time != date::sys_days{ymd} + 12h + 34min + 56s || format_timestamp(*time) != text
                     : time.has_value()) {
          ++wrong;
        }
      }
    }
  }
  CHECK(wrong == 0);
}

TEST_CASE("times outside the years 0000 to 9999 are not formatted") {
  for (const Timestamp time :
       {Timestamp::min(), at(-62167219200000001), at(253402300800000000), Timestamp::max()}) {
    INFO(time.time_since_epoch().count());
    const auto failure = samples::failure_of([&] { return format_timestamp(time); });
    CHECK(failure.code == WebhookErrc::invalid_timestamp);
    CHECK(failure.path.empty());
    CHECK(failure.what == "a time outside the years 0000 to 9999");
  }
}

#ifdef __cpp_rtti  // which a custom locale needs
TEST_CASE("the global locale does not matter") {
  const global_locale grouping(std::locale(std::locale::classic(), new grouping_numpunct));
  CHECK(parse_timestamp("2026-03-15T10:00:00.123456Z") == at(1773568800123456));
  CHECK(format_timestamp(at(1773568800123456)) == "2026-03-15T10:00:00.123456Z");
}
#endif

TEST_CASE("parsing allocates nothing") {
  const auto before = allocations::count;
  for (const auto& row : valid) static_cast<void>(parse_timestamp(row.text));
  for (const std::string_view text : invalid) static_cast<void>(try_parse_timestamp(text));
  CHECK(allocations::count == before);
}
