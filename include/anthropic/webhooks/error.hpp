// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace anthropic::webhooks {

/// What is wrong with a webhook request.
enum class WebhookErrc {
  none,
  // The body: WebhookParseError.
  invalid_json,   ///< Not JSON (RFC 8259), or not UTF-8.
  missing_field,  ///< A field that the event needs is absent.
  wrong_type,     ///< A field, or the body, is of another JSON type than expected.
  invalid_value,  ///< A `type` that is not allowed, or a valueless variant; from a verifier, a negative tolerance.
  invalid_timestamp,  ///< Not an RFC 3339 date-time in the years 0000 to 9999.
  // The sender: WebhookVerificationError.
  missing_header,         ///< A header of Standard Webhooks is absent or empty.
  invalid_header,         ///< A header is malformed, or duplicated with different values.
  timestamp_too_old,      ///< The delivery was signed longer ago than the tolerance.
  timestamp_too_new,      ///< The delivery was signed further in the future than the tolerance.
  no_matching_signature,  ///< None of the signatures was made with any of the secrets.
  invalid_secret,         ///< The receiver's own secret is malformed.
  crypto_failure,         ///< OpenSSL failed: it has no HMAC-SHA256, or no memory.
};

/// The name of the enumerator, such as "no_matching_signature".
[[nodiscard]] constexpr std::string_view to_string(WebhookErrc code) noexcept;

// Visible outside of a shared library that is built with -fvisibility=hidden, so that a handler there catches
// them.
#if defined(__GNUC__) && !defined(_WIN32)
#pragma GCC visibility push(default)
#endif
#ifdef __clang__
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wweak-vtables"  // a header has no other place for them
#pragma clang diagnostic ignored "-Wexit-time-destructors"
#endif

/// Any error of this library: what() is for people, code() and path() are for programs. Copying it cannot fail.
class WebhookError : public std::runtime_error {
 public:
  /// No error: code() is WebhookErrc::none.
  WebhookError() : std::runtime_error("") {}

  /// An error whose what() is "path: message", or only the message if the path is empty.
  WebhookError(WebhookErrc code, std::string path, const std::string& message)
      : std::runtime_error(path.empty() ? message : path + ": " + message),
        code_(code),
        path_(path.empty() ? nullptr : std::make_shared<const std::string>(std::move(path))) {}

  [[nodiscard]] WebhookErrc code() const noexcept { return code_; }

  /// An HTTP status that fits: 400 for a body at fault, 401 for a sender who is not proven, 500 for a failure of
  /// OpenSSL, 200 for no error.
  [[nodiscard]] int http_status() const noexcept;

  /// Where in the body the error is, as a JSON Pointer (RFC 6901) such as "/data/vault_id". It is "" for the body
  /// as a whole, and if no path applies.
  [[nodiscard]] const std::string& path() const noexcept {
    static const std::string none;
    return path_ == nullptr ? none : *path_;
  }

 private:
  WebhookErrc code_ = WebhookErrc::none;
  std::shared_ptr<const std::string> path_;  // shared, so that copying does not allocate
};

/// The body is at fault. If a verifier throws it, the body still comes from a sender with the secret.
class WebhookParseError : public WebhookError {
 public:
  using WebhookError::WebhookError;
  explicit WebhookParseError(const WebhookError& error) noexcept : WebhookError(error) {}
};

/// The sender is not proven, or the verifier could not be made.
class WebhookVerificationError : public WebhookError {
 public:
  using WebhookError::WebhookError;
  explicit WebhookVerificationError(const WebhookError& error) noexcept : WebhookError(error) {}
};

#ifdef __clang__
#pragma clang diagnostic pop
#endif
#if defined(__GNUC__) && !defined(_WIN32)
#pragma GCC visibility pop
#endif

// ---------------------------------------------------------------------------------------------------

constexpr std::string_view to_string(WebhookErrc code) noexcept {
  switch (code) {
    case WebhookErrc::none: return "none";
    case WebhookErrc::invalid_json: return "invalid_json";
    case WebhookErrc::missing_field: return "missing_field";
    case WebhookErrc::wrong_type: return "wrong_type";
    case WebhookErrc::invalid_value: return "invalid_value";
    case WebhookErrc::invalid_timestamp: return "invalid_timestamp";
    case WebhookErrc::missing_header: return "missing_header";
    case WebhookErrc::invalid_header: return "invalid_header";
    case WebhookErrc::timestamp_too_old: return "timestamp_too_old";
    case WebhookErrc::timestamp_too_new: return "timestamp_too_new";
    case WebhookErrc::no_matching_signature: return "no_matching_signature";
    case WebhookErrc::invalid_secret: return "invalid_secret";
    case WebhookErrc::crypto_failure: return "crypto_failure";
  }
  return "unknown";
}

inline int WebhookError::http_status() const noexcept {
  switch (code_) {
    case WebhookErrc::none: return 200;
    case WebhookErrc::invalid_json:
    case WebhookErrc::missing_field:
    case WebhookErrc::wrong_type:
    case WebhookErrc::invalid_value:
    case WebhookErrc::invalid_timestamp: return 400;
    case WebhookErrc::missing_header:
    case WebhookErrc::invalid_header:
    case WebhookErrc::timestamp_too_old:
    case WebhookErrc::timestamp_too_new:
    case WebhookErrc::no_matching_signature:
    case WebhookErrc::invalid_secret: return 401;
    case WebhookErrc::crypto_failure: break;
  }
  return 500;
}

}  // namespace anthropic::webhooks
