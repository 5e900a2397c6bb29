// SPDX-License-Identifier: MIT
#pragma once

#include <anthropic/webhooks/detail/delivery.hpp>
#include <anthropic/webhooks/detail/diagnose/work_budget.hpp>
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
#include <utility>
#include <vector>

/// What the search of diagnose() and the causes that it undoes share.
namespace anthropic::webhooks::detail {

using header_list = std::vector<std::pair<std::string, std::string>>;

/// A request, as it came or with causes undone.
struct candidate {
  std::string_view secret, body;
  header_views headers;
  std::string_view signed_timestamp;  // what the sender signed, maybe in other units than that of the headers
  std::int64_t now;                   // in seconds since 1970
  const hmac_sha256* key;             // null if the verifier refuses the secret
  const header_list* all_headers;     // empty if only the three are known
  work_budget* budget;
};

/// Takes a candidate with a cause undone, and a sentence about the cause.
using candidate_visitor = std::function<void(const candidate&, std::string_view what)>;

/// Calls the visitor with each candidate that may be the request as it was before the cause.
using undo_function = void (*)(const candidate&, const candidate_visitor&);

/// A sentence if the request looks as if this was the cause, although no signature may prove it; else "".
using suspect_function = std::string (*)(const candidate&);

/// Whether a signature matches, whatever the id and the time are. The body is hashed only if one may.
inline bool is_signed(const candidate& request) {
  auto headers = request.headers;
  headers.timestamp = request.signed_timestamp;
  return request.key != nullptr && request.budget->spend(headers.signature.size()) &&
         any_signature(headers.signature, may_match) && request.budget->spend(request.body.size()) &&
         !check_signature(headers, request.body, *request.key);
}

/// Whether WebhookVerifier accepts it, with the default tolerance.
inline bool is_accepted(const candidate& request) {
  return !check_headers_and_time(request.headers, WebhookVerifier::default_tolerance, request.now) &&
         is_signed(request);
}

/// Decodes %XX, and in a form also +. The result is never longer than the text.
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
