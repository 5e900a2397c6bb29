// SPDX-License-Identifier: MIT
#pragma once

#include <anthropic/webhooks/detail/delivery.hpp>
#include <anthropic/webhooks/detail/signature.hpp>
#include <anthropic/webhooks/detail/text.hpp>
#include <anthropic/webhooks/error.hpp>
#include <anthropic/webhooks/verify.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

/// What the search of diagnose() and the causes that it undoes have in common.
namespace anthropic::webhooks::detail {

using header_list = std::vector<std::pair<std::string, std::string>>;

/// The work of one diagnosis, in bytes written or hashed.
class diagnosis_work {
 public:
  static constexpr std::size_t most = std::size_t{512} << 20;

  /// Counts what is about to be written or hashed. Returns false, from then on, where that is too much.
  [[nodiscard]] bool spend(std::size_t bytes) {
    if (bytes > left()) is_over_ = true;
    if (!is_over_) spent_ += bytes;
    return !is_over_;
  }
  void stop() { is_over_ = true; }
  [[nodiscard]] std::size_t spent() const { return spent_; }
  [[nodiscard]] std::size_t left() const { return is_over_ ? 0 : most - spent_; }
  [[nodiscard]] bool is_over() const { return is_over_; }

  /// The variants worth writing of each JSON body, by its hash.
  std::unordered_map<std::size_t, std::vector<unsigned char>> rewritings;

 private:
  std::size_t spent_ = 0;
  bool is_over_ = false;
};

/// A request, as it came or with something undone.
struct diagnosed {
  std::string_view secret, body, id, timestamp, signature;
  std::string_view signed_timestamp;  // the one that the sender signed
  std::int64_t now;                   // in seconds since 1970
  const hmac_sha256* key;             // null where the secret is refused
  const header_list* names;           // empty where they are not known
  diagnosis_work* work;
};

/// Takes a request with a cause undone, and a sentence about the cause.
using delivery_visitor = std::function<void(const diagnosed&, std::string_view what)>;

/// Calls the visitor with each request that this one may have been before.
using undo_function = void (*)(const diagnosed&, const delivery_visitor&);

/// Counts a hash of the body, if the signature is such that there will be one.
inline bool may_match(const diagnosed& request) {
  return request.key != nullptr && request.work->spend(request.signature.size()) &&
         any_signature(request.signature, is_candidate) && request.work->spend(request.body.size());
}

/// Whether WebhookVerifier accepts it, with the default tolerance.
inline bool is_accepted(const diagnosed& request) {
  const received_headers headers{request.id, request.timestamp, request.signature};
  const received_headers signed_headers{request.id, request.signed_timestamp, request.signature};
  return !check_headers_and_time(headers, WebhookVerifier::default_tolerance, request.now) && may_match(request) &&
         !check_signature(signed_headers, request.body, *request.key);
}

/// Whether the signature is right, whatever the id and the timestamp are.
inline bool is_signed(const diagnosed& request) {
  const received_headers headers{request.id, request.timestamp, request.signature};
  return may_match(request) && !check_signature(headers, request.body, *request.key);
}

/// Decodes %XX, and of a form also +. It is never longer than the text.
inline std::string decode_percent(std::string_view text, bool form) {
  std::string decoded;
  decoded.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto digits = text.substr((std::min)(i + 1, text.size()), 2);
    if (text[i] == '%' && digits.size() == 2 && hex_digit(digits[0]) < 16 && hex_digit(digits[1]) < 16) {
      decoded += static_cast<char>(hex_digit(digits[0]) << 4 | hex_digit(digits[1]));
      i += 2;
    } else {
      decoded += form && text[i] == '+' ? ' ' : text[i];
    }
  }
  return decoded;
}

}  // namespace anthropic::webhooks::detail
