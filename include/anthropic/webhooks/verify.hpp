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
/// is destroyed, the keys are wiped. No error message shows a part of a secret, an expected signature or the body.
/// Each function throws its error, or, if its name begins with try_, returns std::nullopt and sets `error`; on
/// success, `error` holds no error. All throw std::bad_alloc, and propagate what a lookup function throws.
class WebhookVerifier {
 public:
  static constexpr std::chrono::seconds default_tolerance = std::chrono::minutes{5};

  /// Takes secrets as the service shows them, "whsec_" and base64, or the base64 alone. The key in each must have
  /// 16 bytes or more. While you rotate secrets, any of several may have signed. `tolerance` is how long ago a
  /// delivery may have been signed, and how far in the future. The error is WebhookErrc::invalid_secret,
  /// invalid_value for a negative tolerance, or crypto_failure.
  [[nodiscard]] static std::optional<WebhookVerifier> try_make(const std::vector<std::string>& secrets,
                                                               WebhookError& error,
                                                               std::chrono::seconds tolerance = default_tolerance);
  /// The same for {"…", "…"}. Each may be what std::getenv() returns, which is null where the variable is not set.
  [[nodiscard]] static std::optional<WebhookVerifier> try_make(std::initializer_list<detail::secret_text> secrets,
                                                               WebhookError& error,
                                                               std::chrono::seconds tolerance = default_tolerance);

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
      std::string_view body, const Headers& headers, WebhookError& error,
      std::chrono::system_clock::time_point now = std::chrono::system_clock::now()) const;

  /// Verifies the raw body, and only then parses it.
  template <class Headers = WebhookHeaders>
  [[nodiscard]] std::optional<UnwrapWebhookEvent> try_unwrap(
      std::string_view body, const Headers& headers, WebhookError& error,
      std::chrono::system_clock::time_point now = std::chrono::system_clock::now()) const;

#if defined(__cpp_exceptions) || defined(_CPPUNWIND)
  /// Like try_make(), with one secret.
  /// @throws WebhookVerificationError with the error of try_make().
  explicit WebhookVerifier(std::string_view secret, std::chrono::seconds tolerance = default_tolerance);
  explicit WebhookVerifier(const char* secret, std::chrono::seconds tolerance = default_tolerance);

  /// Like try_make(), with the secrets in any range of strings, views or `const char*`.
  /// @throws WebhookVerificationError with the error of try_make().
  template <class Secrets, class = std::enable_if_t<detail::is_range_of_secrets<Secrets>>>
  explicit WebhookVerifier(const Secrets& secrets, std::chrono::seconds tolerance = default_tolerance);
  explicit WebhookVerifier(std::initializer_list<detail::secret_text> secrets,
                           std::chrono::seconds tolerance = default_tolerance);
  explicit WebhookVerifier(std::initializer_list<const char*> secrets,  // so that {"…"} is a list, and not a text
                           std::chrono::seconds tolerance = default_tolerance);

  /// Takes the bytes of a key, not base64 text. There must be one at least.
  /// @throws WebhookVerificationError with the error of try_make().
  [[nodiscard]] static WebhookVerifier from_raw_key(std::string_view key_bytes,
                                                    std::chrono::seconds tolerance = default_tolerance);
  /// A key may have a NUL in it, at which a `const char*` would end.
  static WebhookVerifier from_raw_key(const char*, std::chrono::seconds = default_tolerance) = delete;

  /// Like try_verify().
  /// @throws WebhookVerificationError with the error of try_verify().
  template <class Headers = WebhookHeaders>  // In parentheses, verify is safe from a macro of that name.
  std::size_t(verify)(std::string_view body, const Headers& headers,
                      std::chrono::system_clock::time_point now = std::chrono::system_clock::now()) const;

  /// Like try_unwrap().
  /// @throws WebhookVerificationError, or WebhookParseError for a body that verifies and is not an event.
  template <class Headers = WebhookHeaders>
  [[nodiscard]] UnwrapWebhookEvent unwrap(
      std::string_view body, const Headers& headers,
      std::chrono::system_clock::time_point now = std::chrono::system_clock::now()) const;

  /// Signs a body with the first secret, to test a receiver. Returns the value of the webhook-signature header:
  /// "v1," and base64. Send `timestamp`, in whole seconds since 1970, as the webhook-timestamp.
  /// @throws WebhookVerificationError for an id that verify() would refuse or trim, and with crypto_failure.
  [[nodiscard]] std::string sign(std::string_view id, std::chrono::system_clock::time_point timestamp,
                                 std::string_view body) const;

  /// The names and values of the three headers, signed with the first secret, to test a receiver.
  /// @throws WebhookVerificationError as sign() does.
  [[nodiscard]] std::array<std::pair<std::string, std::string>, 3> signed_headers(
      std::string_view id, std::string_view body,
      std::chrono::system_clock::time_point now = std::chrono::system_clock::now()) const;
#endif

 private:
  using keys = std::vector<detail::hmac_sha256>;  // one for each secret

  WebhookVerifier(std::shared_ptr<const keys> its_keys, std::chrono::seconds tolerance)
      : tolerance_(tolerance), keys_(std::move(its_keys)) {}

  template <class Secrets>
  static std::optional<WebhookVerifier> try_make_of(const Secrets& secrets, WebhookError& error,
                                                    std::chrono::seconds tolerance);
  template <class Secrets>
  static WebhookVerifier make_of(const Secrets& secrets, std::chrono::seconds tolerance);
  std::optional<std::size_t> verify_received(const detail::received_headers& headers, std::string_view body,
                                             WebhookError& error, std::chrono::system_clock::time_point now) const;

  std::chrono::seconds tolerance_;
  std::shared_ptr<const keys> keys_;
};

#if defined(__cpp_exceptions) || defined(_CPPUNWIND)
/// Verifies and parses with a secret that is used only once; with more requests to come, keep a WebhookVerifier.
/// @throws as WebhookVerifier and its unwrap() do.
template <class Headers = WebhookHeaders, class Secret>
[[nodiscard]] UnwrapWebhookEvent unwrap(std::string_view body, const Headers& headers, const Secret& secret);
#endif

// ---------------------------------------------------------------------------------------------------

namespace detail {

inline WebhookError negative_tolerance() { return {WebhookErrc::invalid_value, "", "the tolerance is negative"}; }

}  // namespace detail

template <class Secrets>
std::optional<WebhookVerifier> WebhookVerifier::try_make_of(const Secrets& secrets, WebhookError& error,
                                                            std::chrono::seconds tolerance) {
  std::optional<WebhookVerifier> verifier;
  if (tolerance.count() < 0) {
    error = detail::negative_tolerance();
    return verifier;
  }
  const auto made = std::make_shared<keys>();
  detail::secret_fault fault{detail::secret_problem::no_secret};
  for (const auto& secret : secrets) {  // by reference, since a range may make its texts on the fly
    auto key = detail::key_in(secret);
    fault = key.fault;
    if (fault) break;
    made->push_back(*std::move(key.key));
  }
  if (fault) {
    error = detail::error_of(fault);
  } else {
    verifier.emplace(WebhookVerifier(made, tolerance));
    if (error.code() != WebhookErrc::none) error = {};
  }
  return verifier;
}

inline std::optional<WebhookVerifier> WebhookVerifier::try_make(const std::vector<std::string>& secrets,
                                                                WebhookError& error,
                                                                std::chrono::seconds tolerance) {
  return try_make_of(secrets, error, tolerance);
}

inline std::optional<WebhookVerifier> WebhookVerifier::try_make(std::initializer_list<detail::secret_text> secrets,
                                                                WebhookError& error,
                                                                std::chrono::seconds tolerance) {
  return try_make_of(secrets, error, tolerance);
}

template <class Headers>
std::optional<std::size_t> WebhookVerifier::try_verify(std::string_view body, const Headers& headers,
                                                       WebhookError& error,
                                                       std::chrono::system_clock::time_point now) const {
  return detail::with_headers(headers, [&](const detail::received_headers& received) {
    return verify_received(received, body, error, now);
  });
}

inline std::optional<std::size_t> WebhookVerifier::verify_received(
    const detail::received_headers& headers, std::string_view body, WebhookError& error,
    std::chrono::system_clock::time_point now) const {
  if (const auto fault = detail::check_headers_and_time(headers, tolerance_, detail::seconds_since_1970(now))) {
    error = detail::error_of(fault, tolerance_);
    return std::nullopt;
  }
  detail::signature_fault fault;
  for (std::size_t i = 0; i < keys_->size() && fault.code != WebhookErrc::crypto_failure; ++i) {
    fault = detail::check_signature(headers, body, (*keys_)[i]);
    if (fault) continue;
    if (error.code() != WebhookErrc::none) error = {};
    return i;
  }
  error = detail::error_of(fault, headers, body, keys_->size());
  return std::nullopt;
}

template <class Headers>
std::optional<UnwrapWebhookEvent> WebhookVerifier::try_unwrap(std::string_view body, const Headers& headers,
                                                              WebhookError& error,
                                                              std::chrono::system_clock::time_point now) const {
  if (!try_verify(body, headers, error, now)) return std::nullopt;
  return webhooks::try_unwrap(body, error);
}

#if defined(__cpp_exceptions) || defined(_CPPUNWIND)
template <class Secrets>
WebhookVerifier WebhookVerifier::make_of(const Secrets& secrets, std::chrono::seconds tolerance) {
  WebhookError error;
  const auto verifier = try_make_of(secrets, error, tolerance);
  if (!verifier) throw WebhookVerificationError(error);
  return *verifier;
}

inline WebhookVerifier::WebhookVerifier(std::string_view secret, std::chrono::seconds tolerance)
    : WebhookVerifier(make_of(std::array<detail::secret_text, 1>{secret}, tolerance)) {}

inline WebhookVerifier::WebhookVerifier(const char* secret, std::chrono::seconds tolerance)
    : WebhookVerifier(make_of(std::array<detail::secret_text, 1>{secret}, tolerance)) {}

template <class Secrets, class>
WebhookVerifier::WebhookVerifier(const Secrets& secrets, std::chrono::seconds tolerance)
    : WebhookVerifier(make_of(secrets, tolerance)) {}

inline WebhookVerifier::WebhookVerifier(std::initializer_list<detail::secret_text> secrets,
                                        std::chrono::seconds tolerance)
    : WebhookVerifier(make_of(secrets, tolerance)) {}

inline WebhookVerifier::WebhookVerifier(std::initializer_list<const char*> secrets, std::chrono::seconds tolerance)
    : WebhookVerifier(make_of(secrets, tolerance)) {}

inline WebhookVerifier WebhookVerifier::from_raw_key(std::string_view key_bytes, std::chrono::seconds tolerance) {
  auto key = detail::key_of_bytes(key_bytes);
  if (key.fault) throw WebhookVerificationError(detail::error_of(key.fault));
  if (tolerance.count() < 0) throw WebhookVerificationError(detail::negative_tolerance());
  const auto made = std::make_shared<keys>();
  made->push_back(*std::move(key.key));
  return {made, tolerance};
}

template <class Headers>
std::size_t(WebhookVerifier::verify)(std::string_view body, const Headers& headers,
                                     std::chrono::system_clock::time_point now) const {
  WebhookError error;
  const auto index = try_verify(body, headers, error, now);
  if (!index) throw WebhookVerificationError(error);
  return *index;
}

template <class Headers>
UnwrapWebhookEvent WebhookVerifier::unwrap(std::string_view body, const Headers& headers,
                                           std::chrono::system_clock::time_point now) const {
  (verify)(body, headers, now);
  return webhooks::unwrap(body);
}

inline std::string WebhookVerifier::sign(std::string_view id, std::chrono::system_clock::time_point timestamp,
                                         std::string_view body) const {
  if (const auto fault = detail::check_id_to_sign(id))
    throw WebhookVerificationError(fault.code, "", detail::message_of(fault));
  detail::digest_base64 signature;
  if (!detail::sign(keys_->front(), id, std::to_string(detail::seconds_since_1970(timestamp)), body, signature)) {
    throw WebhookVerificationError(WebhookErrc::crypto_failure, "", detail::openssl_failed);
  }
  return std::string("v1,").append(signature.view());
}

inline std::array<std::pair<std::string, std::string>, 3> WebhookVerifier::signed_headers(
    std::string_view id, std::string_view body, std::chrono::system_clock::time_point now) const {
  return {{{std::string(detail::header_names[0]), std::string(id)},
           {std::string(detail::header_names[1]), std::to_string(detail::seconds_since_1970(now))},
           {std::string(detail::header_names[2]), sign(id, now, body)}}};
}

template <class Headers, class Secret>
UnwrapWebhookEvent unwrap(std::string_view body, const Headers& headers, const Secret& secret) {
  return WebhookVerifier(secret).unwrap(body, headers);
}
#endif

}  // namespace anthropic::webhooks
