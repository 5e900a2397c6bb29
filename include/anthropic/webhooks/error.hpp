// SPDX-License-Identifier: MIT
#pragma once

#include <stdexcept>
#include <string>
#include <utility>

namespace anthropic::webhooks {

/// What is wrong with a webhook request.
enum class WebhookErrc {
  none,
  // The body: WebhookParseError.
  invalid_json,       ///< Not JSON (RFC 8259), or not UTF-8.
  missing_field,      ///< A field that the event needs is absent.
  wrong_type,         ///< A field, or the body, is of another JSON type than expected.
  invalid_value,      ///< A value is not allowed: the envelope's `type`, or a negative tolerance.
  invalid_timestamp,  ///< Not an RFC 3339 date-time in the years 0000 to 9999.
  // The sender: WebhookVerificationError.
  missing_header,         ///< A header of Standard Webhooks is absent or empty.
  invalid_header,         ///< A header is malformed, or there twice with different values.
  timestamp_too_old,      ///< The delivery was signed longer ago than the tolerance.
  timestamp_too_new,      ///< The delivery was signed further in the future than the tolerance.
  no_matching_signature,  ///< None of the signatures was made with any of the secrets.
  invalid_secret,         ///< The receiver's own secret is malformed.
};

#ifdef __clang__
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wweak-vtables"  // a header has no other place for them
#endif

/// Any error of this library: what() is for people, code() and path() are for programs.
class WebhookError : public std::runtime_error {
 public:
  /// No error: code() is WebhookErrc::none.
  WebhookError() : WebhookError(WebhookErrc::none, {}, {}) {}

  /// An error whose what() is "path: message", or only the message where the path is empty.
  WebhookError(WebhookErrc code, std::string path, const std::string& message)
      : std::runtime_error(path.empty() ? message : path + ": " + message), code_(code), path_(std::move(path)) {}

  [[nodiscard]] WebhookErrc code() const noexcept { return code_; }

  /// An HTTP status that fits: 400 for a body at fault, 401 for a sender who is not proven, 200 for no error.
  [[nodiscard]] int http_status() const noexcept {
    if (code_ == WebhookErrc::none) return 200;
    return code_ < WebhookErrc::missing_header ? 400 : 401;
  }

  /// Where in the body the error is, as a JSON Pointer (RFC 6901) such as "/data/vault_id". It is "" for the body
  /// as a whole, and where no path applies.
  [[nodiscard]] const std::string& path() const noexcept { return path_; }

 private:
  WebhookErrc code_;
  std::string path_;
};

/// The body is at fault. If a verifier throws it, the body still comes from a sender with the secret.
class WebhookParseError : public WebhookError {
 public:
  using WebhookError::WebhookError;
};

/// The sender is not proven, or the verifier could not be made.
class WebhookVerificationError : public WebhookError {
 public:
  using WebhookError::WebhookError;
};

#ifdef __clang__
#pragma clang diagnostic pop
#endif

}  // namespace anthropic::webhooks
