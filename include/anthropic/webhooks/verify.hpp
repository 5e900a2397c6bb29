// SPDX-License-Identifier: MIT
#pragma once

#include <anthropic/webhooks/detail/delivery.hpp>
#include <anthropic/webhooks/detail/secret.hpp>
#include <anthropic/webhooks/detail/signature.hpp>
#include <anthropic/webhooks/error.hpp>
#include <anthropic/webhooks/events.hpp>
#include <anthropic/webhooks/headers.hpp>
#include <anthropic/webhooks/unwrap.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

/// Signature verification as in Standard Webhooks 1.0 (symmetric, `v1`), with OpenSSL 3.
namespace anthropic::webhooks {

/// Verifies that a request was signed with one of the receiver's secrets, and recently.
///
/// Make one at start-up and share it: many threads may call it at once. Copies share the keys. When the last copy
/// is destroyed, the keys are wiped. No error message shows a part of a secret, an
/// expected signature, or the body, except for a `type` that is not "event".
/// Each function throws its error, or, if its name begins with try_, returns std::nullopt and sets `error`; on
/// success, `error` holds no error. All throw std::bad_alloc, and propagate what a lookup function throws.
class WebhookVerifier {
 public:
  static constexpr std::chrono::seconds default_tolerance = std::chrono::minutes{5};

  /// Takes a range of secrets as the service shows them, "whsec_" and base64, or the base64 alone. Each is a
  /// string, a view or a `const char*`, and the key in it must have at least 16 bytes. While you rotate secrets,
  /// any of several may have signed. `tolerance` is how long ago a delivery may have been signed, and how far in
  /// the future; std::chrono::seconds::max() switches this check off, for recorded deliveries (the max() of a
  /// larger unit overflows in <chrono>). The error is WebhookErrc::invalid_secret, also for the null that
  /// std::getenv() returns, invalid_value for a negative tolerance, or crypto_failure.
  template <class Secrets = std::initializer_list<detail::secret_text>,
            class = std::enable_if_t<detail::is_range_of_secrets<Secrets>>>
  [[nodiscard]] static std::optional<WebhookVerifier> try_make(Secrets&& secrets, WebhookError& error,
                                                               std::chrono::seconds tolerance = default_tolerance);

  /// Takes the bytes of a key, not base64 text. There must be at least one. The error is that of try_make().
  [[nodiscard]] static std::optional<WebhookVerifier> try_from_raw_key(
      std::string_view key_bytes, WebhookError& error, std::chrono::seconds tolerance = default_tolerance);
  /// A key may have a NUL in it, at which a `const char*` would end.
  static std::optional<WebhookVerifier> try_from_raw_key(const char*, WebhookError&,
                                                         std::chrono::seconds = default_tolerance) = delete;

  // There are no move operations: they would leave a verifier without keys.
  WebhookVerifier(const WebhookVerifier&) = default;
  WebhookVerifier& operator=(const WebhookVerifier&) = default;

  /// Checks the headers, the age and the signature of a request, and returns the index of the secret that signed.
  /// `body` is the raw one, byte for byte as received. `headers` are what the server has: a range of name and
  /// value pairs, or a function from a name (`const char*`) to its value, or WebhookHeaders. Such a function
  /// returns anything that WebhookHeaderValue is made of. If that is a view or a pointer, its text must be there
  /// until try_verify() returns.
  template <class Headers = WebhookHeaders>
  [[nodiscard]] std::optional<std::size_t> try_verify(
      std::string_view body, Headers&& headers, WebhookError& error,
      std::chrono::system_clock::time_point now = std::chrono::system_clock::now()) const;

  /// Verifies the raw body, and only then parses it.
  template <class Headers = WebhookHeaders>
  [[nodiscard]] std::optional<UnwrapWebhookEvent> try_unwrap(
      std::string_view body, Headers&& headers, WebhookError& error,
      std::chrono::system_clock::time_point now = std::chrono::system_clock::now()) const;

  /// Signs a body with the first secret, to test a receiver. Returns the value of the webhook-signature header:
  /// "v1," and base64. Send `timestamp`, in whole seconds since 1970, as the webhook-timestamp. The error is that
  /// of try_verify() for an id that it would refuse or trim, or crypto_failure.
  [[nodiscard]] std::optional<std::string> try_sign(std::string_view id,
                                                    std::chrono::system_clock::time_point timestamp,
                                                    std::string_view body, WebhookError& error) const;

  /// The names and values of the three headers, signed as by try_sign().
  [[nodiscard]] std::optional<std::array<std::pair<std::string, std::string>, 3>> try_signed_headers(
      std::string_view id, std::string_view body, WebhookError& error,
      std::chrono::system_clock::time_point now = std::chrono::system_clock::now()) const;

#if defined(__cpp_exceptions) || defined(_CPPUNWIND)
  // Like the functions above. They throw WebhookVerificationError.

  explicit WebhookVerifier(detail::secret_text secret, std::chrono::seconds tolerance = default_tolerance);
  template <class Secrets, class = std::enable_if_t<detail::is_range_of_secrets<Secrets>>>
  explicit WebhookVerifier(Secrets&& secrets, std::chrono::seconds tolerance = default_tolerance);
  // Not left to the template, which deduces nothing from {new_secret, old_secret}.
  explicit WebhookVerifier(std::initializer_list<detail::secret_text> secrets,
                           std::chrono::seconds tolerance = default_tolerance);

  [[nodiscard]] static WebhookVerifier from_raw_key(std::string_view key_bytes,
                                                    std::chrono::seconds tolerance = default_tolerance);
  static WebhookVerifier from_raw_key(const char*, std::chrono::seconds = default_tolerance) = delete;

  template <class Headers = WebhookHeaders>  // in parentheses: <AssertMacros.h> of macOS has a macro verify()
  std::size_t(verify)(std::string_view body, Headers&& headers,
                      std::chrono::system_clock::time_point now = std::chrono::system_clock::now()) const;

  /// @throws WebhookParseError for a body that verifies and is not an event.
  template <class Headers = WebhookHeaders>
  [[nodiscard]] UnwrapWebhookEvent unwrap(
      std::string_view body, Headers&& headers,
      std::chrono::system_clock::time_point now = std::chrono::system_clock::now()) const;

  [[nodiscard]] std::string sign(std::string_view id, std::chrono::system_clock::time_point timestamp,
                                 std::string_view body) const;

  [[nodiscard]] std::array<std::pair<std::string, std::string>, 3> signed_headers(
      std::string_view id, std::string_view body,
      std::chrono::system_clock::time_point now = std::chrono::system_clock::now()) const;
#endif

 private:
  using keys = std::vector<detail::hmac_sha256>;  // one for each secret

  WebhookVerifier(std::shared_ptr<const keys> its_keys, std::chrono::seconds tolerance)
      : tolerance_(tolerance), keys_(std::move(its_keys)) {}

  template <class Secrets, class MakeKey>
  static std::optional<WebhookVerifier> try_make_with(MakeKey make_key, Secrets& secrets, WebhookError& error,
                                                      std::chrono::seconds tolerance);
  std::optional<std::size_t> verify_views(std::string_view body, const detail::header_views& headers,
                                          WebhookError& error, std::chrono::system_clock::time_point now) const;

  std::chrono::seconds tolerance_;
  std::shared_ptr<const keys> keys_;
};

#if defined(__cpp_exceptions) || defined(_CPPUNWIND)
/// Verifies and parses with a secret that is used only once; with more requests to come, keep a WebhookVerifier.
/// @throws as WebhookVerifier and its unwrap() do.
template <class Headers = WebhookHeaders, class Secret>
[[nodiscard]] UnwrapWebhookEvent unwrap(std::string_view body, Headers&& headers, const Secret& secret);
#endif

// ---------------------------------------------------------------------------------------------------

namespace detail {

inline void clear(WebhookError& error) {
  if (error.code() != WebhookErrc::none) error = {};  // not always: saves 2 % of a delivery
}

}  // namespace detail

template <class Secrets, class MakeKey>
std::optional<WebhookVerifier> WebhookVerifier::try_make_with(MakeKey make_key, Secrets& secrets,
                                                              WebhookError& error,
                                                              std::chrono::seconds tolerance) {
  if (tolerance.count() < 0) {
    error = {WebhookErrc::invalid_value, "", "the tolerance is negative"};
    return std::nullopt;
  }
  const auto made = std::make_shared<keys>();
  detail::secret_fault fault{detail::secret_problem::no_secret};
  for (const auto& secret : secrets) {  // by reference, since a range may make its texts on the fly
    auto key = make_key(secret);
    fault = key.fault;
    if (fault) break;
    made->push_back(*std::move(key.key));
  }
  if (fault) {
    error = detail::error_of(fault);
    return std::nullopt;
  }
  detail::clear(error);
  return WebhookVerifier(made, tolerance);
}

template <class Secrets, class>
std::optional<WebhookVerifier> WebhookVerifier::try_make(Secrets&& secrets, WebhookError& error,
                                                         std::chrono::seconds tolerance) {
  return try_make_with(detail::key_in, secrets, error, tolerance);
}

inline std::optional<WebhookVerifier> WebhookVerifier::try_from_raw_key(std::string_view key_bytes,
                                                                        WebhookError& error,
                                                                        std::chrono::seconds tolerance) {
  const std::array one{key_bytes};
  return try_make_with(detail::key_of_bytes, one, error, tolerance);
}

template <class Headers>
std::optional<std::size_t> WebhookVerifier::try_verify(std::string_view body, Headers&& headers,
                                                       WebhookError& error,
                                                       std::chrono::system_clock::time_point now) const {
  return detail::with_headers(
      headers, [&](const detail::header_views& views) { return verify_views(body, views, error, now); });
}

inline std::optional<std::size_t> WebhookVerifier::verify_views(std::string_view body,
                                                                const detail::header_views& headers,
                                                                WebhookError& error,
                                                                std::chrono::system_clock::time_point now) const {
  if (const auto fault = detail::check_headers_and_time(headers, tolerance_, detail::seconds_since_1970(now))) {
    error = detail::error_of(fault, tolerance_);
    return std::nullopt;
  }
  detail::signature_fault fault;
  for (std::size_t i = 0; i < keys_->size() && !fault.openssl; ++i) {
    fault = detail::check_signature(headers, body, (*keys_)[i]);
    if (fault) continue;
    detail::clear(error);
    return i;
  }
  error = detail::error_of(fault, headers, body, keys_->size());
  return std::nullopt;
}

template <class Headers>
std::optional<UnwrapWebhookEvent> WebhookVerifier::try_unwrap(std::string_view body, Headers&& headers,
                                                              WebhookError& error,
                                                              std::chrono::system_clock::time_point now) const {
  if (!try_verify(body, headers, error, now)) return std::nullopt;
  return webhooks::try_unwrap(body, error);
}

inline std::optional<std::string> WebhookVerifier::try_sign(std::string_view id,
                                                            std::chrono::system_clock::time_point timestamp,
                                                            std::string_view body, WebhookError& error) const {
  if (const auto fault = detail::check_id_to_sign(id)) {
    error = {fault.code, "", detail::message_of(fault)};
    return std::nullopt;
  }
  detail::digest_base64 signature;
  if (const auto fault = detail::sign(keys_->front(), id, std::to_string(detail::seconds_since_1970(timestamp)),
                                      body, signature)) {
    error = {WebhookErrc::crypto_failure, "", detail::message_of(fault)};
    return std::nullopt;
  }
  detail::clear(error);
  return std::string("v1,").append(signature.view());
}

inline std::optional<std::array<std::pair<std::string, std::string>, 3>> WebhookVerifier::try_signed_headers(
    std::string_view id, std::string_view body, WebhookError& error,
    std::chrono::system_clock::time_point now) const {
  auto signature = try_sign(id, now, body, error);
  if (!signature) return std::nullopt;
  return {{{{std::string(detail::header_names[0]), std::string(id)},
            {std::string(detail::header_names[1]), std::to_string(detail::seconds_since_1970(now))},
            {std::string(detail::header_names[2]), *std::move(signature)}}}};
}

#if defined(__cpp_exceptions) || defined(_CPPUNWIND)
namespace detail {

/// The value of what f(error) returns, or its error thrown.
template <class F>
auto value_or_throw(F f) {
  WebhookError error;
  auto result = f(error);
  if (!result) throw WebhookVerificationError(error);
  return *std::move(result);
}

}  // namespace detail

inline WebhookVerifier::WebhookVerifier(detail::secret_text secret, std::chrono::seconds tolerance)
    : WebhookVerifier(std::array{secret}, tolerance) {}

template <class Secrets, class>
WebhookVerifier::WebhookVerifier(Secrets&& secrets, std::chrono::seconds tolerance)
    : WebhookVerifier(
          detail::value_or_throw([&](WebhookError& error) { return try_make(secrets, error, tolerance); })) {}

inline WebhookVerifier::WebhookVerifier(std::initializer_list<detail::secret_text> secrets,
                                        std::chrono::seconds tolerance)
    : WebhookVerifier(
          detail::value_or_throw([&](WebhookError& error) { return try_make(secrets, error, tolerance); })) {}

inline WebhookVerifier WebhookVerifier::from_raw_key(std::string_view key_bytes, std::chrono::seconds tolerance) {
  return detail::value_or_throw(
      [&](WebhookError& error) { return try_from_raw_key(key_bytes, error, tolerance); });
}

template <class Headers>
std::size_t(WebhookVerifier::verify)(std::string_view body, Headers&& headers,
                                     std::chrono::system_clock::time_point now) const {
  return detail::value_or_throw([&](WebhookError& error) { return try_verify(body, headers, error, now); });
}

template <class Headers>
UnwrapWebhookEvent WebhookVerifier::unwrap(std::string_view body, Headers&& headers,
                                           std::chrono::system_clock::time_point now) const {
  (verify)(body, headers, now);  // not via try_unwrap(), which does not tell which of the two failed
  return webhooks::unwrap(body);
}

inline std::string WebhookVerifier::sign(std::string_view id, std::chrono::system_clock::time_point timestamp,
                                         std::string_view body) const {
  return detail::value_or_throw([&](WebhookError& error) { return try_sign(id, timestamp, body, error); });
}

inline std::array<std::pair<std::string, std::string>, 3> WebhookVerifier::signed_headers(
    std::string_view id, std::string_view body, std::chrono::system_clock::time_point now) const {
  return detail::value_or_throw([&](WebhookError& error) { return try_signed_headers(id, body, error, now); });
}

template <class Headers, class Secret>
UnwrapWebhookEvent unwrap(std::string_view body, Headers&& headers, const Secret& secret) {
  return WebhookVerifier(secret).unwrap(body, headers);
}
#endif

}  // namespace anthropic::webhooks
