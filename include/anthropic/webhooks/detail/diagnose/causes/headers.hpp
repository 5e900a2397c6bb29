// SPDX-License-Identifier: MIT
#pragma once

#include <anthropic/webhooks/detail/delivery.hpp>
#include <anthropic/webhooks/detail/diagnose/candidate.hpp>
#include <anthropic/webhooks/headers.hpp>
#include <anthropic/webhooks/verify.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>

/// Causes in the webhook-id, the webhook-timestamp and the names of the headers.
namespace anthropic::webhooks::detail {

inline bool lacks_a_header(const candidate& request) {
  return request.headers.id.empty() || request.headers.timestamp.empty() || request.headers.signature.empty();
}

inline std::string suspect_missing(const candidate& request) {
  std::string missing;
  const std::array values{request.headers.id, request.headers.timestamp, request.headers.signature};
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (values[i].empty()) missing.append(missing.empty() ? "Absent or empty: " : ", ").append(header_names[i]);
  }
  if (!missing.empty()) missing += '.';
  return missing;
}

inline std::string_view value_of(const header_list& headers, std::string_view name) {
  for (const auto& header : headers) {
    if (!name.empty() && equal_ignoring_case(header.first, name)) return trimmed(header.second);
  }
  return {};
}

inline void undo_other_names(const candidate& before, const candidate_visitor& visit) {
  if (!lacks_a_header(before)) return;
  for (const auto& names : lookalikes) {
    auto changed = before;
    if (changed.headers.id.empty()) changed.headers.id = value_of(*before.all_headers, names[0]);
    if (changed.headers.timestamp.empty()) changed.headers.timestamp = value_of(*before.all_headers, names[1]);
    if (changed.headers.signature.empty()) changed.headers.signature = value_of(*before.all_headers, names[2]);
    changed.signed_timestamp = changed.headers.timestamp;
    if (!lacks_a_header(changed))
      visit(changed, "The sender uses other names for the headers, such as " + std::string(names[2]) + ".");
  }
}

inline std::string suspect_other_names(const candidate& request) {
  std::string what;
  if (lacks_a_header(request) && !request.headers.lookalike.empty())
    what.append("There is ").append(request.headers.lookalike).append(", which Standard Webhooks does not use.");
  return what;
}

inline void undo_swap(const candidate& before, const candidate_visitor& visit) {
  std::int64_t seconds = 0;
  if (!read_seconds(before.headers.id, seconds)) return;
  auto changed = before;
  std::swap(changed.headers.id, changed.headers.timestamp);
  changed.signed_timestamp = changed.headers.timestamp;
  visit(changed, "Each of webhook-id and webhook-timestamp has the value of the other.");
}

inline bool looks_swapped(const candidate& request) {
  std::int64_t seconds = 0;
  return request.headers.id.size() == 10 && read_seconds(request.headers.id, seconds) &&
         !request.headers.timestamp.empty() && !read_seconds(request.headers.timestamp, seconds);
}

inline std::string suspect_swap(const candidate& request) {
  return looks_swapped(request) ? "The webhook-id looks like a time, and the webhook-timestamp does not." : "";
}

inline constexpr const char* milliseconds_message = "The webhook-timestamp is in milliseconds.";

inline bool is_in_milliseconds(const candidate& request) {
  std::int64_t seconds = 0, rest = 0;
  const auto timestamp = request.headers.timestamp;
  return timestamp.size() == 13 && read_seconds(timestamp.substr(0, 10), seconds) &&
         read_seconds("1" + std::string(timestamp.substr(10)), rest);
}

inline void undo_milliseconds(const candidate& before, const candidate_visitor& visit) {
  if (!is_in_milliseconds(before)) return;
  auto changed = before;
  changed.headers.timestamp.remove_suffix(3);
  visit(changed, milliseconds_message);  // signed with the milliseconds
  changed.signed_timestamp = changed.headers.timestamp;
  visit(changed, milliseconds_message);
}

inline std::string suspect_milliseconds(const candidate& request) {
  return is_in_milliseconds(request) ? milliseconds_message : "";
}

inline std::string suspect_malformed_timestamp(const candidate& request) {
  std::string what;
  std::int64_t seconds = 0;
  const auto timestamp = request.headers.timestamp;
  if (timestamp.empty() || read_seconds(timestamp, seconds) || looks_swapped(request) ||
      is_in_milliseconds(request)) {
    return what;
  }
  const auto all_in = [timestamp](std::string_view set) {
    return timestamp.find_first_not_of(set) == std::string_view::npos;
  };
  what = "The webhook-timestamp is not in whole seconds since 1970";
  if (all_in("0123456789")) {
    what += timestamp[0] == '0' ? ": it starts with a zero" : ": it has too many digits, as microseconds do";
  } else if (all_in("0123456789.")) {
    what += ": it has a fraction";
  } else if (all_in("0123456789-+:.TtZz ")) {
    what += ": it looks like a date";
  }
  what += is_signed(request) ? ". The signature is right." : ".";
  return what;
}

/// A duration of two minutes or more, in seconds and in larger units.
inline std::string in_words(std::int64_t seconds) {
  std::string larger;
  const auto add = [&larger](std::int64_t number, const char* unit) {
    if (number > 0) larger += (larger.empty() ? "" : " ") + std::to_string(number) + unit;
  };
  add(seconds / 86400, " d");
  add(seconds / 3600 % 24, " h");
  if (seconds < 86400) add(seconds / 60 % 60, " min");
  return std::to_string(seconds) + " s (" + larger + ")";
}

inline void undo_clock(const candidate& before, const candidate_visitor& visit) {
  constexpr std::int64_t tolerance = WebhookVerifier::default_tolerance.count();
  std::int64_t seconds = 0;
  if (!read_seconds(before.headers.timestamp, seconds)) return;
  const auto age = before.now - seconds;
  const auto off = age < 0 ? -age : age;
  if (off <= tolerance) return;
  std::string what = "The signature is right, and it was made " + in_words(off) +
                     (age > 0 ? " before" : " after") + " the time of the check; the tolerance is " +
                     std::to_string(tolerance) + " s.";
  const auto hours = (off + 1800) / 3600;
  if (hours >= 1 && hours <= 14 && std::abs(off - 3600 * hours) <= tolerance) {
    what += " That is " + std::to_string(hours) + (hours == 1 ? " hour" : " hours") +
            ", as a wrong time zone would have it.";
  }
  auto changed = before;
  changed.now = seconds;
  visit(changed, what);
}

}  // namespace anthropic::webhooks::detail
