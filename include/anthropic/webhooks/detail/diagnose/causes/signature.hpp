// SPDX-License-Identifier: MIT
#pragma once

#include <anthropic/webhooks/detail/diagnose/candidate.hpp>
#include <anthropic/webhooks/detail/signature.hpp>
#include <anthropic/webhooks/detail/text.hpp>

#include <openssl/evp.h>

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>

/// Causes in the webhook-signature.
namespace anthropic::webhooks::detail {

/// Whether there is a signature that can match.
inline bool has_good_signature(const candidate& request) {
  return any_signature(request.headers.signature, [](std::string_view version, std::string_view text) {
    return form_of(version, text) == signature_form::good;
  });
}

inline void visit_signature(candidate changed, std::string_view signature, std::string_view what,
                            const candidate_visitor& visit) {
  changed.headers.signature = signature;
  visit(changed, what);
}

inline std::string joined(std::string_view version, std::string_view text) {
  return std::string(version).append(version.empty() ? "" : ",").append(text);
}

/// Visits the request with its signatures as convert(version, text) returns them, which is "" for one to keep.
inline void visit_converted(const candidate& before, const candidate_visitor& visit, std::string_view what,
                            std::string (*convert)(std::string_view version, std::string_view text)) {
  if (!before.budget->spend(2 * before.headers.signature.size())) return;
  std::string list;
  bool changes = false;
  any_signature(before.headers.signature, [&](std::string_view version, std::string_view text) {
    const auto converted = convert(version, text);
    changes = changes || !converted.empty();
    list.append(" ").append(converted.empty() ? joined(version, text) : converted);
    return false;
  });
  if (changes) visit_signature(before, list, what, visit);
}

inline void undo_hexadecimal(const candidate& before, const candidate_visitor& visit) {
  const auto convert = [](std::string_view version, std::string_view text) {
    if (form_of(version, text) != signature_form::hexadecimal) return std::string();
    text.remove_prefix(text.size() - 64);
    hmac_sha256::digest bytes{};
    for (std::size_t i = 0; i < bytes.size(); ++i)
      bytes[i] = static_cast<unsigned char>(hex_digit(text[2 * i]) << 4 | hex_digit(text[2 * i + 1]));
    digest_base64 base64;
    EVP_EncodeBlock(base64.data(), bytes.data(), static_cast<int>(bytes.size()));
    return joined("v1", base64.view());
  };
  visit_converted(before, visit, "The signature is in hexadecimal digits.", convert);
}

inline void undo_url_safe_signature(const candidate& before, const candidate_visitor& visit) {
  const auto convert = [](std::string_view version, std::string_view text) {
    if (form_of(version, text) != signature_form::url_safe) return std::string();
    std::string standard(text.substr(0, 43));
    std::replace(standard.begin(), standard.end(), '-', '+');
    std::replace(standard.begin(), standard.end(), '_', '/');
    return joined(version, standard + "=");
  };
  visit_converted(before, visit, "The signature is in the url-safe alphabet, or lacks its padding.", convert);
}

inline void undo_lack_of_version(const candidate& before, const candidate_visitor& visit) {
  const auto convert = [](std::string_view version, std::string_view text) {
    // There may be something else before it, such as "v1=".
    if (text.size() > digest_base64::size) text.remove_prefix(text.size() - digest_base64::size);
    return form_of(version, text) == signature_form::without_version ? joined("v1", text) : std::string();
  };
  visit_converted(before, visit, "The signature has no \"v1,\" before it.", convert);
}

/// Visits the request with a + for each space that is not before another signature, and with the header decoded.
inline void undo_form_decoding(const candidate& before, const candidate_visitor& visit) {
  const auto list = before.headers.signature;
  if (list.find(' ') != std::string_view::npos && before.budget->spend(list.size())) {
    std::string with_plus(list);
    for (std::size_t i = 0; i < list.size(); ++i) {
      const auto next = list.substr(i + 1, 5);  // no base64 has a comma
      const bool is_separator = starts_with(next, "v") && next.find(',') != std::string_view::npos;
      if (list[i] == ' ' && !is_separator) with_plus[i] = '+';
    }
    if (with_plus != list)
      visit_signature(before, with_plus, "Each + in the signature was turned into a space.", visit);
  }
  if (list.find('%') == std::string_view::npos) return;
  for (const bool form : {false, true}) {
    if (before.budget->spend(list.size()))
      visit_signature(before, decode_percent(list, form), "The signature is percent-encoded.", visit);
  }
}

}  // namespace anthropic::webhooks::detail
