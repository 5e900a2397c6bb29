// SPDX-License-Identifier: MIT
#pragma once

#include <anthropic/webhooks/detail/signature.hpp>
#include <anthropic/webhooks/error.hpp>
#include <anthropic/webhooks/events.hpp>
#include <anthropic/webhooks/headers.hpp>
#include <anthropic/webhooks/unwrap.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// Signature verification as in Standard Webhooks 1.0 (symmetric, `v1`), with OpenSSL 3.
namespace anthropic::webhooks {

/// Verifies that a request was signed with one of the receiver's secrets, and recently.
///
/// Make one at start-up and share it: many threads may call it at once. Copies share the keys. When the last copy
/// is destroyed, the keys are wiped. No error message shows a part of a secret, an expected signature or the body.
/// It throws WebhookVerificationError, WebhookParseError (from unwrap()) and std::bad_alloc. What a look-up
/// function throws passes through.
class WebhookVerifier {
 public:
  static constexpr std::chrono::seconds default_tolerance = std::chrono::minutes{5};

  /// Takes a secret as the service shows it, "whsec_" and base64, or the base64 alone. The key in it must have 16
  /// bytes or more. `tolerance` is how long ago a delivery may have been signed, and how far in the future.
  /// @throws WebhookVerificationError with WebhookErrc::invalid_secret, or invalid_value for a negative tolerance.
  explicit WebhookVerifier(std::string_view secret, std::chrono::seconds tolerance = default_tolerance);
  /// The same for what std::getenv() returns, which is null where the variable is not set.
  explicit WebhookVerifier(const char* secret, std::chrono::seconds tolerance = default_tolerance);

  /// Takes several secrets, for a rotation. Any of them may have signed.
  explicit WebhookVerifier(const std::vector<std::string>& secrets,
                           std::chrono::seconds tolerance = default_tolerance);
  /// The same for {"…", "…"}. Each may be what std::getenv() returns.
  explicit WebhookVerifier(std::initializer_list<const char*> secrets,
                           std::chrono::seconds tolerance = default_tolerance);

  /// Takes the bytes of a key, not base64 text. There must be one at least.
  [[nodiscard]] static WebhookVerifier from_raw_key(std::string_view key_bytes,
                                                    std::chrono::seconds tolerance = default_tolerance);

  // There are no move operations: they would leave a verifier without keys.
  WebhookVerifier(const WebhookVerifier&) = default;
  WebhookVerifier& operator=(const WebhookVerifier&) = default;

  /// Checks the headers, the age and the signature of a request, and returns the index of the secret that signed.
  /// `body` is the raw one, byte for byte as received. `headers` are what the server has: a range of name and
  /// value pairs, or a function from a name (`const char*`) to its value, or WebhookHeaders. Such a function
  /// returns anything that WebhookHeaderValue is made of, and what it throws passes through.
  template <class Headers = WebhookHeaders>  // In parentheses, verify is safe from a macro of that name.
  std::size_t(verify)(std::string_view body, const Headers& headers,
                      std::chrono::system_clock::time_point now = std::chrono::system_clock::now()) const;

  /// Verifies the raw body, and only then parses it.
  template <class Headers = WebhookHeaders>
  [[nodiscard]] UnwrapWebhookEvent unwrap(
      std::string_view body, const Headers& headers,
      std::chrono::system_clock::time_point now = std::chrono::system_clock::now()) const;

  /// Like unwrap(), but where that throws a WebhookError, it returns std::nullopt and sets `error`. If it returns
  /// an event, `error` holds no error.
  template <class Headers = WebhookHeaders>
  [[nodiscard]] std::optional<UnwrapWebhookEvent> try_unwrap(
      std::string_view body, const Headers& headers, WebhookError& error,
      std::chrono::system_clock::time_point now = std::chrono::system_clock::now()) const;

  /// Signs a body with the first secret, to test a receiver. Returns the value of the webhook-signature header:
  /// "v1," and base64. Send `timestamp`, in whole seconds since 1970, as the webhook-timestamp.
  [[nodiscard]] std::string sign(std::string_view id, std::chrono::system_clock::time_point timestamp,
                                 std::string_view body) const;

 private:
  explicit WebhookVerifier(std::chrono::seconds tolerance);
  std::size_t verify_parts(std::string_view body, const WebhookHeaders& headers,
                           std::chrono::system_clock::time_point now) const;

  std::chrono::seconds tolerance_;
  std::shared_ptr<std::vector<detail::hmac_sha256>> keys_;  // one for each secret
};

/// Verifies and parses with a secret that is used only once; with more requests to come, keep a WebhookVerifier.
/// @throws as WebhookVerifier and its unwrap() do.
template <class Headers = WebhookHeaders, class Secret>
[[nodiscard]] UnwrapWebhookEvent unwrap(std::string_view body, const Headers& headers, const Secret& secret);

// ---------------------------------------------------------------------------------------------------

namespace detail {

/// Reads whole seconds since 1970, and returns whether the text is that.
inline bool read_seconds(std::string_view timestamp, std::int64_t& seconds) {
  constexpr std::size_t most_digits = 12;  // the year 33658, and far from any overflow
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  if (timestamp.empty() || timestamp.size() > most_digits ||
      !std::all_of(timestamp.begin(), timestamp.end(), is_digit) ||
      (timestamp[0] == '0' && timestamp.size() > 1)) {
    return false;
  }
  seconds = 0;
  for (const char digit : timestamp) seconds = 10 * seconds + (digit - '0');
  return true;
}

/// Throws unless `timestamp` is a number of seconds since 1970 that differs from `now` by `tolerance` at the most.
inline void require_recent(std::string_view timestamp, std::chrono::system_clock::time_point now,
                           std::chrono::seconds tolerance) {
  std::int64_t signed_at = 0;
  if (!read_seconds(timestamp, signed_at)) {
    fail_verification(WebhookErrc::invalid_header, "webhook-timestamp header: expected whole seconds since 1970");
  }

  const auto age = std::chrono::floor<std::chrono::seconds>(now.time_since_epoch()).count() - signed_at;
  if (age >= -tolerance.count() && age <= tolerance.count()) return;
  const bool old = age > 0;
  fail_verification(old ? WebhookErrc::timestamp_too_old : WebhookErrc::timestamp_too_new,
                    "signed " + std::to_string(old ? age : -age) + (old ? " s ago" : " s in the future") +
                        ", and the tolerance is " + std::to_string(tolerance.count()) + " s");
}

/// Why no signature matches, as far as anyone may know it.
inline std::string no_match(std::string_view signatures, std::size_t body_size, std::size_t secrets) {
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

}  // namespace detail

inline WebhookVerifier::WebhookVerifier(std::chrono::seconds tolerance)
    : tolerance_(tolerance), keys_(std::make_shared<std::vector<detail::hmac_sha256>>()) {
  if (tolerance.count() < 0) detail::fail_verification(WebhookErrc::invalid_value, "the tolerance is negative");
}

inline WebhookVerifier::WebhookVerifier(std::string_view secret, std::chrono::seconds tolerance)
    : WebhookVerifier(tolerance) {
  keys_->push_back(detail::key_in(secret));
}

inline WebhookVerifier::WebhookVerifier(const char* secret, std::chrono::seconds tolerance)
    : WebhookVerifier({secret}, tolerance) {}

inline WebhookVerifier::WebhookVerifier(const std::vector<std::string>& secrets, std::chrono::seconds tolerance)
    : WebhookVerifier(tolerance) {
  if (secrets.empty()) detail::fail_secret("there is none");
  for (const auto& secret : secrets) keys_->push_back(detail::key_in(secret));
}

inline WebhookVerifier::WebhookVerifier(std::initializer_list<const char*> secrets, std::chrono::seconds tolerance)
    : WebhookVerifier(tolerance) {
  if (secrets.size() == 0) detail::fail_secret("there is none");
  for (const char* const secret : secrets) {
    if (secret == nullptr) detail::fail_secret("it is null: is the environment variable set?");
    keys_->push_back(detail::key_in(secret));
  }
}

inline WebhookVerifier WebhookVerifier::from_raw_key(std::string_view key_bytes, std::chrono::seconds tolerance) {
  if (key_bytes.empty()) detail::fail_secret("it is empty");
  WebhookVerifier verifier(tolerance);
  verifier.keys_->emplace_back(key_bytes);
  return verifier;
}

template <class Headers>
std::size_t(WebhookVerifier::verify)(std::string_view body, const Headers& headers,
                                     std::chrono::system_clock::time_point now) const {
  const auto& found = detail::headers_of(headers);
  detail::require_headers(found, headers);
  return verify_parts(body, found, now);
}

inline std::size_t WebhookVerifier::verify_parts(std::string_view body, const WebhookHeaders& headers,
                                                 std::chrono::system_clock::time_point now) const {
  detail::require_recent(headers.timestamp, now, tolerance_);
  for (std::size_t index = 0; index < keys_->size(); ++index) {
    const auto expected = detail::signature_of((*keys_)[index], headers.id, headers.timestamp, body);
    if (detail::lists_signature(headers.signature, expected)) return index;
  }
  detail::fail_verification(WebhookErrc::no_matching_signature,
                            detail::no_match(headers.signature, body.size(), keys_->size()));
}

template <class Headers>
UnwrapWebhookEvent WebhookVerifier::unwrap(std::string_view body, const Headers& headers,
                                           std::chrono::system_clock::time_point now) const {
  (verify)(body, headers, now);
  return webhooks::unwrap(body);
}

template <class Headers>
std::optional<UnwrapWebhookEvent> WebhookVerifier::try_unwrap(std::string_view body, const Headers& headers,
                                                              WebhookError& error,
                                                              std::chrono::system_clock::time_point now) const {
  try {
    (verify)(body, headers, now);
  } catch (const WebhookVerificationError& e) {
    error = e;
    return std::nullopt;
  }
  return webhooks::try_unwrap(body, error);
}

inline std::string WebhookVerifier::sign(std::string_view id, std::chrono::system_clock::time_point timestamp,
                                         std::string_view body) const {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(timestamp.time_since_epoch()).count();
  const auto base64 = detail::signature_of(keys_->front(), id, std::to_string(seconds), body);
  return "v1," + std::string(base64.begin(), base64.end());
}

template <class Headers, class Secret>
UnwrapWebhookEvent unwrap(std::string_view body, const Headers& headers, const Secret& secret) {
  return WebhookVerifier(secret).unwrap(body, headers);
}

}  // namespace anthropic::webhooks
