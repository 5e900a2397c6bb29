// SPDX-License-Identifier: MIT
#pragma once

#include <anthropic/webhooks/detail/diagnose/candidate.hpp>
#include <anthropic/webhooks/detail/diagnose/causes/body.hpp>
#include <anthropic/webhooks/detail/text.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

/// Another character set than UTF-8 as the cause.
namespace anthropic::webhooks::detail {

/// The characters 0x80 to 0x9F of Windows-1252 in UTF-8, of
/// https://encoding.spec.whatwg.org/index-windows-1252.txt. The five that Windows leaves undefined are control
/// characters, as all 32 are in Latin-1.
inline constexpr std::array<std::string_view, 32> windows_1252{
    "\xE2\x82\xAC", "\xC2\x81",     "\xE2\x80\x9A", "\xC6\x92",     "\xE2\x80\x9E", "\xE2\x80\xA6", "\xE2\x80\xA0",
    "\xE2\x80\xA1", "\xCB\x86",     "\xE2\x80\xB0", "\xC5\xA0",     "\xE2\x80\xB9", "\xC5\x92",     "\xC2\x8D",
    "\xC5\xBD",     "\xC2\x8F",     "\xC2\x90",     "\xE2\x80\x98", "\xE2\x80\x99", "\xE2\x80\x9C", "\xE2\x80\x9D",
    "\xE2\x80\xA2", "\xE2\x80\x93", "\xE2\x80\x94", "\xCB\x9C",     "\xE2\x84\xA2", "\xC5\xA1",     "\xE2\x80\xBA",
    "\xC5\x93",     "\xC2\x9D",     "\xC5\xBE",     "\xC5\xB8"};

/// Encodes each character of a UTF-8 text as one byte, in Latin-1 or else in Windows-1252. Returns nothing if
/// neither has one of them.
inline std::optional<std::string> encode_single_bytes(std::string_view utf8) {
  std::string bytes;
  while (!utf8.empty()) {
    const auto lead = static_cast<unsigned char>(utf8[0]);
    const auto next = static_cast<unsigned char>(utf8.size() > 1 ? utf8[1] : '\0');
    std::size_t size = lead < 0x80 ? 1 : 2;
    if (lead < 0x80) {
      bytes += utf8[0];
    } else if ((lead == 0xC2 || lead == 0xC3) && next >= 0x80 && next < 0xC0) {  // U+0080 to U+00FF
      bytes += static_cast<char>((lead & 3) << 6 | (next & 0x3F));
    } else {
      const auto found = std::find_if(windows_1252.begin(), windows_1252.end(),
                                      [utf8](std::string_view character) { return starts_with(utf8, character); });
      if (found == windows_1252.end()) return std::nullopt;
      bytes += static_cast<char>(0x80 + (found - windows_1252.begin()));
      size = found->size();
    }
    utf8.remove_prefix(size);
  }
  return bytes;
}

/// Encodes a text in Latin-1 or Windows-1252 as UTF-8.
inline std::string decode_single_bytes(std::string_view bytes, bool is_windows) {
  std::string utf8;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x80) {
      utf8 += c;
    } else if (is_windows && byte < 0xA0) {
      utf8 += windows_1252[byte - 0x80];
    } else {
      utf8 += static_cast<char>(0xC0 | byte >> 6);
      utf8 += static_cast<char>(0x80 | (byte & 0x3F));
    }
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
  std::string tried;
  for (const bool is_windows : {false, true}) {
    if (!before.budget->spend(3 * body.size())) return;
    const auto utf8 = decode_single_bytes(body, is_windows);
    if (utf8 != tried)
      visit_body(before, utf8, "The body was sent on in Latin-1 or Windows-1252, instead of UTF-8.", visit);
    tried = utf8;
  }
}

inline std::string suspect_charset(const candidate& request) {
  const auto has = [&request](std::string_view text) { return request.body.find(text) != std::string_view::npos; };
  return has("\xEF\xBF\xBD") || has("\\ufffd") || has("\\uFFFD")
             ? "The body was decoded with a wrong character set: it has U+FFFD, the replacement character."
             : "";
}

}  // namespace anthropic::webhooks::detail
