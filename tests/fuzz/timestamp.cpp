// SPDX-License-Identifier: MIT
// Timestamps agree with <date/date.h> and the grammar of RFC 3339.
#include <anthropic/webhooks/timestamp.hpp>

#include "require.hpp"

#include <date/date.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <regex>
#include <sstream>
#include <string>
#include <string_view>

using namespace std::chrono;

namespace {

std::optional<anthropic::webhooks::Timestamp> expected(const std::string& text) {
  static const std::regex date_time(
      R"((\d{4}-\d\d-\d\d)[Tt](([01]\d|2[0-3]):[0-5]\d:)([0-5]\d|60)(\.(\d{1,6})\d*)?([Zz]|[+-]([01]\d|2[0-3]):[0-5]\d))");
  std::smatch part;
  if (!std::regex_match(text, part, date_time)) return std::nullopt;
  const bool leap = part[4] == "60";
  const bool utc = part[7] == "Z" || part[7] == "z";
  std::istringstream in(part[1].str() + "T" + part[2].str() + (leap ? "59" : part[4].str()) +
                        (utc ? "+00:00" : part[7].str()));
  date::sys_seconds time;
  if (!(in >> date::parse("%FT%T%Ez", time))) return std::nullopt;

  std::string fraction = part[6];
  fraction.resize(6, '0');
  anthropic::webhooks::Timestamp result = time + microseconds{std::stoi(fraction)};
  if (leap) {
    if (time - date::floor<date::days>(time) != 23h + 59min + 59s) return std::nullopt;
    result = time + 1s;
  }
  const auto year = date::year_month_day(date::floor<date::days>(result)).year();
  if (year < date::year{0} || year > date::year{9999}) return std::nullopt;
  return result;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  const auto time = anthropic::webhooks::try_parse_timestamp(text);
  require(time == expected(text), "it is read like <date/date.h> does");
  if (time) {
    const auto formatted = anthropic::webhooks::format_timestamp(*time);
    require(anthropic::webhooks::try_parse_timestamp(formatted) == time,
            "formatting and parsing gives the same time");
    const auto in_seconds = date::floor<seconds>(*time);
    require(
        formatted == (*time == in_seconds ? date::format("%FT%TZ", in_seconds) : date::format("%FT%TZ", *time)),
        "it is formatted like <date/date.h> does");
  }
  return 0;
}
