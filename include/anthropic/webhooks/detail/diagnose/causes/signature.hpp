// SPDX-License-Identifier: MIT
#pragma once

#include <anthropic/webhooks/detail/diagnose/candidate.hpp>
#include <anthropic/webhooks/detail/signature.hpp>
#include <anthropic/webhooks/detail/text.hpp>

#include <openssl/evp.h>

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

/// Visits the request with the signatures for which `write(list, version, text)` is true as that wrote them.
template <class Write>
void visit_signatures(const candidate& before, const candidate_visitor& visit, std::string_view what,
                      Write write) {
  if (!before.budget->spend(2 * before.headers.signature.size())) return;
  std::string list;
  bool changes = false;
  any_signature(before.headers.signature, [&](std::string_view version, std::string_view text) {
    list += ' ';
    if (write(list, version, text)) {
      changes = true;
    } else {
      list.append(version).append(version.empty() ? "" : ",").append(text);
    }
    return false;
  });
  if (changes) visit_signature(before, list, what, visit);
}

inline void undo_hexadecimal(const candidate& before, const candidate_visitor& visit) {
  visit_signatures(before, visit, "The signature is in hexadecimal digits.",
                   [](std::string& list, std::string_view version, std::string_view text) {
                     if (form_of(version, text) != signature_form::hexadecimal) return false;
                     text = text.substr(text.size() - 64);
                     hmac_sha256::digest bytes{};
                     for (std::size_t i = 0; i < bytes.size(); ++i)
                       bytes[i] =
                           static_cast<unsigned char>(hex_digit(text[2 * i]) << 4 | hex_digit(text[2 * i + 1]));
                     digest_base64 base64;
                     EVP_EncodeBlock(base64.data(), bytes.data(), static_cast<int>(bytes.size()));
                     list.append("v1,").append(base64.view());
                     return true;
                   });
}

inline void undo_url_safe_signature(const candidate& before, const candidate_visitor& visit) {
  visit_signatures(before, visit, "The signature is in the url-safe alphabet, or lacks its padding.",
                   [](std::string& list, std::string_view version, std::string_view text) {
                     if (form_of(version, text) != signature_form::url_safe) return false;
                     list.append(version).append(version.empty() ? "" : ",");
                     for (const char c : text.substr(0, 43)) list += c == '-' ? '+' : c == '_' ? '/' : c;
                     list += '=';
                     return true;
                   });
}

inline void undo_lack_of_version(const candidate& before, const candidate_visitor& visit) {
  visit_signatures(before, visit, "The signature has no \"v1,\" before it.",
                   [](std::string& list, std::string_view version, std::string_view text) {
                     constexpr std::size_t size = digest_base64::size;
                     // There may be something else before it, such as "v1=".
                     if (text.size() > size) text.remove_prefix(text.size() - size);
                     if (form_of(version, text) != signature_form::without_version) return false;
                     list.append("v1,").append(text);
                     return true;
                   });
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
