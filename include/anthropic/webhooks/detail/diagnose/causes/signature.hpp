// SPDX-License-Identifier: MIT
#pragma once

#include <anthropic/webhooks/detail/diagnose/candidate.hpp>
#include <anthropic/webhooks/detail/signature.hpp>
#include <anthropic/webhooks/detail/text.hpp>

#include <openssl/evp.h>

#include <cstddef>
#include <string>
#include <string_view>

/// What diagnose() knows of the webhook-signature.
namespace anthropic::webhooks::detail {

inline constexpr const char* hexadecimal_message = "The signature is in hexadecimal digits.";
inline constexpr const char* url_safe_signature_message =
    "The signature is in the url-safe alphabet, or lacks its padding.";
inline constexpr const char* lack_of_version_message = "The signature has no \"v1,\" before it.";

inline void visit_signature(diagnosed changed, std::string_view signature, std::string_view what,
                            const delivery_visitor& visit) {
  changed.signature = signature;
  visit(changed, what);
}

/// Visits the request with the signatures for which `write(list, version, text)` is true as that wrote them.
template <class Write>
void visit_signatures(const diagnosed& before, const delivery_visitor& visit, std::string_view what, Write write) {
  if (!before.work->spend(2 * before.signature.size())) return;
  std::string list;
  bool changes = false;
  any_signature(before.signature, [&](std::string_view version, std::string_view text) {
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

inline void undo_hexadecimal(const diagnosed& before, const delivery_visitor& visit) {
  visit_signatures(
      before, visit, hexadecimal_message, [](std::string& list, std::string_view version, std::string_view text) {
        if (form_of(version, text) != signature_form::hexadecimal) return false;
        text = text.substr(text.size() - 64);
        hmac_sha256::digest bytes{};
        for (std::size_t i = 0; i < bytes.size(); ++i)
          bytes[i] = static_cast<unsigned char>(hex_digit(text[2 * i]) << 4 | hex_digit(text[2 * i + 1]));
        digest_base64 base64;
        EVP_EncodeBlock(base64.data(), bytes.data(), static_cast<int>(bytes.size()));
        list.append("v1,").append(base64.view());
        return true;
      });
}

inline void undo_url_safe_signature(const diagnosed& before, const delivery_visitor& visit) {
  visit_signatures(before, visit, url_safe_signature_message,
                   [](std::string& list, std::string_view version, std::string_view text) {
                     if (form_of(version, text) != signature_form::url_safe) return false;
                     list.append(version).append(version.empty() ? "" : ",");
                     for (const char c : text.substr(0, 43)) list += c == '-' ? '+' : c == '_' ? '/' : c;
                     list += '=';
                     return true;
                   });
}

inline void undo_lack_of_version(const diagnosed& before, const delivery_visitor& visit) {
  visit_signatures(before, visit, lack_of_version_message,
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
inline void undo_form_decoding(const diagnosed& before, const delivery_visitor& visit) {
  const auto list = before.signature;
  if (list.find(' ') != std::string_view::npos && before.work->spend(list.size())) {
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
    if (before.work->spend(list.size()))
      visit_signature(before, decode_percent(list, form), "The signature is percent-encoded.", visit);
  }
}

/// Whether there is a signature of this form, and none of the right one.
inline bool has_only(std::string_view signatures, signature_form form) {
  bool good = false, found = false;
  any_signature(signatures, [&](std::string_view version, std::string_view text) {
    const auto its_form = form_of(version, text);
    good = good || its_form == signature_form::good;
    found = found || its_form == form;
    return false;
  });
  return found && (!good || form == signature_form::good);
}

inline std::string suspect_hexadecimal(const diagnosed& request) {
  return has_only(request.signature, signature_form::hexadecimal) ? hexadecimal_message : "";
}

inline std::string suspect_url_safe_signature(const diagnosed& request) {
  return has_only(request.signature, signature_form::url_safe) ? url_safe_signature_message : "";
}

inline std::string suspect_lack_of_version(const diagnosed& request) {
  return has_only(request.signature, signature_form::without_version) ? lack_of_version_message : "";
}

inline std::string suspect_form_decoding(const diagnosed& request) {
  std::string likely;
  if (has_only(request.signature, signature_form::good)) return likely;
  undo_form_decoding(request, [&likely](const diagnosed& changed, std::string_view what) {
    if (has_only(changed.signature, signature_form::good)) likely = what;
  });
  return likely;
}

}  // namespace anthropic::webhooks::detail
