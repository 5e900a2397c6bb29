// SPDX-License-Identifier: MIT
#pragma once

#include <anthropic/webhooks/detail/signature.hpp>
#include <anthropic/webhooks/error.hpp>
#include <anthropic/webhooks/headers.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>

/// The two checks that decide whether a delivery is accepted.
namespace anthropic::webhooks::detail {

/// Checks that the headers are there and the id is well-formed, and then that the timestamp is at most `tolerance`
/// away from `now`, which is in seconds since 1970.
header_fault check_headers_and_time(const header_views& headers, std::chrono::seconds tolerance, std::int64_t now);

/// Why no signature matches.
struct signature_fault {
  explicit operator bool() const { return code != WebhookErrc::none; }

  WebhookErrc code = WebhookErrc::none;  // no_matching_signature or crypto_failure
  openssl_fault openssl = {};
};

/// Looks for a signature of this id, timestamp and body by this key.
signature_fault check_signature(const header_views& headers, std::string_view body, const hmac_sha256& key);

WebhookError error_of(const header_fault& fault, std::chrono::seconds tolerance);

/// `keys` is the number of those that were tried.
WebhookError error_of(const signature_fault& fault, const header_views& headers, std::string_view body,
                      std::size_t keys);

// ---------------------------------------------------------------------------------------------------

inline std::int64_t seconds_since_1970(std::chrono::system_clock::time_point time) {
  return std::chrono::floor<std::chrono::seconds>(time.time_since_epoch()).count();
}

/// Checks an id to be signed. The receiver trims it, so whitespace would be missing from what it verifies.
inline header_fault check_id_to_sign(std::string_view id) {
  if (trimmed(id) != id) return {WebhookErrc::invalid_header, 0, "there is whitespace around it"};
  return check_id(id);
}

/// Reads whole seconds since 1970, and returns whether the text is that.
inline bool read_seconds(std::string_view timestamp, std::int64_t& seconds) {
  constexpr std::size_t max_digits = 12;  // the year 33658, and far from any overflow
  if (timestamp.empty() || timestamp.size() > max_digits || (timestamp[0] == '0' && timestamp.size() > 1)) {
    return false;
  }
  seconds = 0;
  for (const char c : timestamp) {
    if (c < '0' || c > '9') return false;
    seconds = 10 * seconds + (c - '0');
  }
  return true;
}

inline header_fault check_headers_and_time(const header_views& headers, std::chrono::seconds tolerance,
                                           std::int64_t now) {
  if (const auto fault = check_headers(headers)) return fault;
  std::int64_t signed_at = 0;
  if (!read_seconds(headers.timestamp, signed_at))
    return {WebhookErrc::invalid_header, 1, "expected whole seconds since 1970"};
  header_fault fault;
  fault.age = now - signed_at;
  if (fault.age > tolerance.count()) fault.code = WebhookErrc::timestamp_too_old;
  if (fault.age < -tolerance.count()) fault.code = WebhookErrc::timestamp_too_new;
  return fault;
}

inline signature_fault check_signature(const header_views& headers, std::string_view body,
                                       const hmac_sha256& key) {
  digest_base64 expected;
  bool is_hashed = false;  // only if one may match
  signature_fault fault{WebhookErrc::no_matching_signature};
  any_signature(headers.signature, [&](std::string_view version, std::string_view text) {
    if (!may_match(version, text)) return false;
    if (!std::exchange(is_hashed, true)) fault.openssl = sign(key, headers.id, headers.timestamp, body, expected);
    if (fault.openssl) {
      fault.code = WebhookErrc::crypto_failure;
    } else if (matches(text, expected)) {
      fault.code = WebhookErrc::none;
    }
    return fault.code != WebhookErrc::no_matching_signature;
  });
  return fault;
}

inline const char* description_of(signature_form form) {
  switch (form) {
    case signature_form::good: return "of the form v1,<44 base64 digits>";
    case signature_form::hexadecimal: return "hexadecimal";
    case signature_form::url_safe: return "url-safe or without padding";
    case signature_form::without_version: return "without \"v1,\"";
    case signature_form::other_version: return "of another version";
    case signature_form::unknown: return "of no known form";
  }
  return "";
}

inline std::string message_of_no_match(std::string_view signatures, std::size_t body_size, std::size_t keys) {
  std::map<signature_form, std::size_t> counts;
  any_signature(signatures, [&counts](std::string_view version, std::string_view text) {
    ++counts[form_of(version, text)];
    return false;
  });
  const auto good = counts[signature_form::good];

  std::string message = "no signature matches: ";
  if (good > 0) {
    message +=
        "the secret is another endpoint's, or the body was changed; diagnose() finds out which. The body has " +
        std::to_string(body_size) + " bytes, " + std::to_string(keys) +
        (keys == 1 ? " secret was" : " secrets were") + " tried, and ";
  }
  message +=
      "the webhook-signature header has " + std::to_string(good) + " " + description_of(signature_form::good);
  const char* separator = good > 0 ? ", " : ": ";
  for (const auto& [form, count] : counts) {
    if (form == signature_form::good) continue;
    message += separator + std::to_string(count) + (count == 1 ? " is " : " are ") + description_of(form);
    separator = ", ";
  }
  return message;
}

inline WebhookError error_of(const header_fault& fault, std::chrono::seconds tolerance) {
  const bool is_old = fault.code == WebhookErrc::timestamp_too_old;
  if (!is_old && fault.code != WebhookErrc::timestamp_too_new) return {fault.code, "", message_of(fault)};
  return {fault.code, "",
          "signed " + std::to_string(is_old ? fault.age : -fault.age) + (is_old ? " s ago" : " s in the future") +
              ", and the tolerance is " + std::to_string(tolerance.count()) + " s"};
}

inline WebhookError error_of(const signature_fault& fault, const header_views& headers, std::string_view body,
                             std::size_t keys) {
  return {fault.code, "",
          fault.openssl ? message_of(fault.openssl) : message_of_no_match(headers.signature, body.size(), keys)};
}

}  // namespace anthropic::webhooks::detail
