// SPDX-License-Identifier: MIT
#pragma once

#include <anthropic/webhooks/detail/signature.hpp>
#include <anthropic/webhooks/error.hpp>
#include <anthropic/webhooks/headers.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

/// Whether a delivery is accepted. All that verifies or diagnoses asks decide(). The checks of the headers alone
/// are verdict_on() and verdict_on_id() in headers.hpp.
namespace anthropic::webhooks::detail {

struct delivery {
  const received_headers& headers;
  std::string_view signed_timestamp;  // what the sender signed; diagnose() also tries others than the header's
  std::string_view body;
};

/// What the receiver has: a pointer to `count` keys, and the time.
struct receiver {
  const hmac_sha256* keys;
  std::size_t count;
  std::chrono::seconds tolerance;
  std::int64_t now;  // in seconds since 1970
};

/// Looks for what is wrong in this order: the headers, the id, the time, the signature.
verdict decide(const delivery& delivery, const receiver& receiver);

/// A refusal in words.
WebhookError error_of(const verdict& refusal, const delivery& delivery, const receiver& receiver);

// ---------------------------------------------------------------------------------------------------

inline std::int64_t seconds_since_1970(std::chrono::system_clock::time_point time) {
  return std::chrono::floor<std::chrono::seconds>(time.time_since_epoch()).count();
}

inline constexpr const char* openssl_failed = "OpenSSL failed to make an HMAC-SHA256";

/// Whether an id can be signed: the receiver cuts off whitespace, which would be missing from what it verifies.
inline verdict verdict_on_id_to_sign(std::string_view id) {
  return trimmed(id) == id ? verdict_on_id(id)
                           : refusal_of_header(WebhookErrc::invalid_header, 0, "there is whitespace around it");
}

/// Reads whole seconds since 1970, and returns whether the text is that.
inline bool read_seconds(std::string_view timestamp, std::int64_t& seconds) {
  constexpr std::size_t most_digits = 12;  // the year 33658, and far from any overflow
  if (timestamp.empty() || timestamp.size() > most_digits || (timestamp[0] == '0' && timestamp.size() > 1)) {
    return false;
  }
  seconds = 0;
  for (const char c : timestamp) {
    if (c < '0' || c > '9') return false;
    seconds = 10 * seconds + (c - '0');
  }
  return true;
}

/// Looks for the signature by this key: WebhookErrc::none where it is there. What has no candidate is not hashed.
inline WebhookErrc find_signature(const hmac_sha256& key, const delivery& delivery) {
  digest_base64 expected;
  bool is_hashed = false;
  auto result = WebhookErrc::no_matching_signature;
  any_signature(delivery.headers.signature, [&](std::string_view version, std::string_view text) {
    if (!is_candidate(version, text)) return false;
    if (!std::exchange(is_hashed, true) &&
        !sign(key, delivery.headers.id, delivery.signed_timestamp, delivery.body, expected)) {
      result = WebhookErrc::crypto_failure;
    } else if (matches(text, expected)) {
      result = WebhookErrc::none;
    }
    return result != WebhookErrc::no_matching_signature;
  });
  return result;
}

inline verdict decide(const delivery& delivery, const receiver& receiver) {
  const auto& headers = delivery.headers;
  verdict result = verdict_on(headers);
  if (!result.accepted()) return result;

  std::int64_t signed_at = 0;
  if (!read_seconds(headers.timestamp, signed_at)) {
    result = refusal_of_header(WebhookErrc::invalid_header, 1, "expected whole seconds since 1970");
    return result;
  }
  result.age = receiver.now - signed_at;
  const auto tolerance = receiver.tolerance.count();
  if (result.age < -tolerance || result.age > tolerance) {
    result.code = result.age > 0 ? WebhookErrc::timestamp_too_old : WebhookErrc::timestamp_too_new;
    return result;
  }

  result.code = WebhookErrc::no_matching_signature;
  for (std::size_t i = 0; i < receiver.count; ++i) {
    const auto found = find_signature(receiver.keys[i], delivery);
    if (found == WebhookErrc::no_matching_signature) continue;
    result.code = found;
    result.secret = i;
    break;
  }
  return result;
}

/// Why no signature matches, as far as anyone may know it.
inline std::string message_of_no_match(std::string_view signatures, std::size_t body_size, std::size_t secrets) {
  // In the order of signature_form.
  constexpr std::array forms{"of the form v1,<44 base64 digits>",
                             "hexadecimal",
                             "url-safe or without padding",
                             "without \"v1,\"",
                             "of another version",
                             "of no known form"};
  std::array<std::size_t, forms.size()> counts{};
  any_signature(signatures, [&counts](std::string_view version, std::string_view text) {
    ++counts[static_cast<std::size_t>(form_of(version, text))];
    return false;
  });

  std::string result = "no signature matches: the body has " + std::to_string(body_size) + " bytes, " +
                       std::to_string(secrets) + (secrets == 1 ? " secret was" : " secrets were") +
                       " tried, and the webhook-signature header has " + std::to_string(counts[0]) + " " +
                       forms[0];
  const char* separator = counts[0] == 0 ? ": " : ", ";
  for (std::size_t i = 1; i < counts.size(); ++i) {
    if (counts[i] == 0) continue;
    result += std::exchange(separator, ", ") + std::to_string(counts[i]) + (counts[i] == 1 ? " is " : " are ") +
              forms[i];
  }
  return result;
}

inline std::string message_of(const verdict& refusal, const delivery& delivery, const receiver& receiver) {
  if (refusal.code == WebhookErrc::crypto_failure) return openssl_failed;
  if (refusal.code == WebhookErrc::no_matching_signature) {
    return message_of_no_match(delivery.headers.signature, delivery.body.size(), receiver.count);
  }
  if (refusal.header < header_count) return message_of_header(refusal);
  const bool old = refusal.code == WebhookErrc::timestamp_too_old;
  return "signed " + std::to_string(old ? refusal.age : -refusal.age) + (old ? " s ago" : " s in the future") +
         ", and the tolerance is " + std::to_string(receiver.tolerance.count()) + " s";
}

inline WebhookError error_of(const verdict& refusal, const delivery& delivery, const receiver& receiver) {
  return {refusal.code, "", message_of(refusal, delivery, receiver)};
}

}  // namespace anthropic::webhooks::detail
