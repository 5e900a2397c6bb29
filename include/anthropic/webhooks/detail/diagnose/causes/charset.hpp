// SPDX-License-Identifier: MIT
#pragma once

#include <anthropic/webhooks/detail/diagnose/candidate.hpp>
#include <anthropic/webhooks/detail/diagnose/causes/body.hpp>
#include <anthropic/webhooks/detail/diagnose/utf8.hpp>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

/// Causes in the character set of the body.
namespace anthropic::webhooks::detail {

/// What Windows-1252 has for 0x80 to 0x9F (https://encoding.spec.whatwg.org/index-windows-1252.txt). The five that
/// Windows leaves undefined are the control characters that all 32 are in Latin-1.
inline constexpr std::u16string_view windows_1252 =
    u"\u20AC\x81\u201A\u0192\u201E\u2026\u2020\u2021\u02C6\u2030\u0160\u2039\u0152\x8D\u017D\x8F"
    u"\x90\u2018\u2019\u201C\u201D\u2022\u2013\u2014\u02DC\u2122\u0161\u203A\u0153\x9D\u017E\u0178";

/// Encodes each character of a UTF-8 text as one byte, in Latin-1 or else in Windows-1252. Returns nothing if a
/// character is in neither.
inline std::optional<std::string> encode_single_bytes(std::string_view utf8) {
  std::string bytes;
  while (!utf8.empty()) {
    const auto character = utf8.substr(0, size_of_character(utf8[0]));
    const auto code_point = code_point_of(character);
    const auto in_windows = windows_1252.find(static_cast<char16_t>(code_point));
    const bool is_utf8 = character_of(code_point) == character;
    if (!is_utf8 || (code_point > 0xFF && in_windows == std::u16string_view::npos)) return std::nullopt;
    bytes += static_cast<char>(code_point > 0xFF ? 0x80 + in_windows : code_point);
    utf8.remove_prefix(character.size());
  }
  return bytes;
}

/// Encodes a text in Latin-1 or Windows-1252 as UTF-8.
inline std::string decode_single_bytes(std::string_view bytes, bool is_windows) {
  std::string utf8;
  for (const char c : bytes) {
    const std::uint32_t byte = static_cast<unsigned char>(c);
    utf8 += character_of(is_windows && byte >= 0x80 && byte < 0xA0 ? windows_1252[byte - 0x80] : byte);
  }
  return utf8;
}

inline void undo_charset(const candidate& before, const candidate_visitor& visit) {
  const auto body = before.body;
  const bool is_ascii =
      std::all_of(body.begin(), body.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
  if (is_ascii || !before.budget->spend(body.size())) return;
  if (const auto bytes = encode_single_bytes(body)) {
    visit_body(before, *bytes,
               "The body was decoded with a wrong character set, Latin-1 or Windows-1252, and encoded as UTF-8.",
               visit);
    return;
  }
  for (const bool is_windows : {false, true}) {
    if (before.budget->spend(3 * body.size())) {
      visit_body(before, decode_single_bytes(body, is_windows),
                 "The body was sent on in Latin-1 or Windows-1252, instead of UTF-8.", visit);
    }
  }
}

inline std::string suspect_charset(const candidate& request) {
  const auto has = [&request](std::string_view text) { return request.body.find(text) != std::string_view::npos; };
  return has("\xEF\xBF\xBD") || has("\\ufffd") || has("\\uFFFD")
             ? "The body was decoded with a wrong character set: it has U+FFFD, the replacement character."
             : "";
}

}  // namespace anthropic::webhooks::detail
