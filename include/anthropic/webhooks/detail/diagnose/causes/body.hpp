// SPDX-License-Identifier: MIT
#pragma once

#include <anthropic/webhooks/detail/diagnose/candidate.hpp>
#include <anthropic/webhooks/detail/diagnose/causes/headers.hpp>
#include <anthropic/webhooks/detail/diagnose/json_variants.hpp>
#include <anthropic/webhooks/detail/diagnose/utf8.hpp>
#include <anthropic/webhooks/detail/json_reader.hpp>
#include <anthropic/webhooks/detail/secret.hpp>
#include <anthropic/webhooks/detail/text.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

/// Causes in the body.
namespace anthropic::webhooks::detail {

inline void visit_body(candidate changed, std::string_view body, std::string_view what,
                       const candidate_visitor& visit) {
  changed.body = body;
  visit(changed, what);
}

inline void undo_byte_order_mark(const candidate& before, const candidate_visitor& visit) {
  if (starts_with(before.body, byte_order_mark)) {
    visit_body(before, before.body.substr(byte_order_mark.size()),
               "A byte-order mark was put at the start of the body.", visit);
  } else if (before.budget->spend(byte_order_mark.size() + before.body.size())) {
    visit_body(before, std::string(byte_order_mark).append(before.body),
               "The byte-order mark at the start of the body was taken away.", visit);
  }
}

inline void undo_newline(const candidate& before, const candidate_visitor& visit) {
  auto body = before.body;
  for (int cut = 0; cut < 8 && !body.empty() && (body.back() == '\n' || body.back() == '\r'); ++cut) {
    body.remove_suffix(1);
    visit_body(before, body, "A trailing newline was added to the body.", visit);
  }
  for (const std::string_view newlines : {"\n", "\r\n", "\n\n", "\r\n\r\n"}) {
    if (before.budget->spend(before.body.size() + newlines.size()))
      visit_body(before, std::string(before.body).append(newlines),
                 "The trailing newline of the body was cut off.", visit);
  }
}

inline void undo_line_endings(const candidate& before, const candidate_visitor& visit) {
  const auto body = before.body;
  const auto newlines = static_cast<std::size_t>(std::count(body.begin(), body.end(), '\n'));
  if (newlines == 0 || !before.budget->spend(2 * body.size() + newlines)) return;
  std::string lf, crlf;
  for (std::size_t i = 0; i < body.size(); ++i) {
    const char c = body[i];
    if (c == '\r' && body.substr(i + 1, 1) == "\n") continue;
    lf += c;
    if (c == '\n') crlf += '\r';
    crlf += c;
  }
  if (lf != body) visit_body(before, lf, "Each LF in the body became CRLF.", visit);
  if (crlf != body) visit_body(before, crlf, "Each CRLF in the body became LF.", visit);
}

inline void undo_nul(const candidate& before, const candidate_visitor& visit) {
  auto body = before.body;
  while (!body.empty() && body.back() == '\0') body.remove_suffix(1);
  if (body != before.body) visit_body(before, body, "NUL bytes were added at the end of the body.", visit);
}

inline std::string suspect_nul(const candidate& request) {
  const bool likely = !request.body.empty() && request.body.back() == '\0';
  return likely ? "There are NUL bytes at the end of the body." : "";
}

inline void undo_percent(const candidate& before, const candidate_visitor& visit) {
  const auto body = before.body;
  if (body.find('%') != std::string_view::npos || body.find('+') != std::string_view::npos) {
    // A form has the body as the value of a field, or as a name without a value.
    const auto value = body.substr((std::min)(body.find('='), body.size() - 1) + 1);
    const auto name = body.substr(0, body.size() - (body.back() == '=' ? 1 : 0));
    for (const auto text : {body, name, value}) {
      for (const bool form : {false, true}) {
        if (!before.budget->spend(text.size())) return;
        const std::string decoded = decode_percent(text, form);
        if (decoded != body) visit_body(before, decoded, "The body is percent-encoded or form-encoded.", visit);
      }
    }
  }
  if (body.find(' ') != std::string_view::npos && before.budget->spend(body.size())) {
    std::string encoded(body);
    std::replace(encoded.begin(), encoded.end(), ' ', '+');
    visit_body(before, encoded, "The body was form-decoded, which turned each + into a space.", visit);
  }
}

inline std::string suspect_percent(const candidate& request) {
  const auto body = request.body.substr(0, 64);
  const bool likely = body.find("%7B") != std::string_view::npos || body.find("%7b") != std::string_view::npos;
  return likely ? "The body looks percent-encoded or form-encoded." : "";
}

inline constexpr std::string_view base64_body_characters = "+/-_=\r\n";

inline void undo_base64(const candidate& before, const candidate_visitor& visit) {
  constexpr std::size_t max_size = std::size_t{1} << 28;  // OpenSSL takes an int
  const auto body = before.body;
  if (!is_base64(body, base64_body_characters) || body.size() > max_size || !before.budget->spend(3 * body.size()))
    return;
  std::string digits;
  digits.reserve(body.size());
  for (const char c : body) {
    if (c != '\r' && c != '\n') digits += c == '-' ? '+' : c == '_' ? '/' : c;
  }
  while (!digits.empty() && digits.back() == '=') digits.pop_back();
  if (digits.empty() || !is_base64(digits) || digits.size() % 4 == 1) return;
  visit_body(before, decoded_base64(digits).text(), "The body is base64 of the body.", visit);
}

inline std::string suspect_base64(const candidate& request) {
  // As {" and { with whitespace after it start.
  const bool likely = (starts_with(request.body, "ey") || starts_with(request.body, "ew")) &&
                      is_base64(request.body, base64_body_characters);
  return likely ? "The body looks like base64." : "";
}

inline void undo_json_string(const candidate& before, const candidate_visitor& visit) {
  json_reader json(before.body);
  bool has_escapes = false;
  const char* const quote = json.skip_space(json.end() - before.body.size());
  if (!json.is_at('"', quote) || !before.budget->spend(before.body.size())) return;
  const char* const end = json.skip_string(quote + 1, has_escapes);
  if (json.skip_space(end) != json.end() || json.failed()) return;
  std::string text;
  append_unescaped({quote + 1, static_cast<std::size_t>(end - 1 - (quote + 1))}, text);
  visit_body(before, text, "The body is a JSON string that holds the body.", visit);
}

inline std::string suspect_json_string(const candidate& request) {
  return starts_with(request.body, "\"{") ? "The body looks like a JSON string that holds the body." : "";
}

inline void undo_serialization(const candidate& before, const candidate_visitor& visit) {
  constexpr std::size_t max_size = std::size_t{1} << 20;
  const auto size = before.body.size();
  if (size == 0 || size > max_size || !before.budget->spend(size)) return;
  json_variants(before.body).write_each(4 * size + 1024, *before.budget, [&](const std::string& text) {
    visit_body(before, text, "The body was parsed and written again, in other whitespace, key order or escapes.",
               visit);
  });
}

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

inline std::string suspect_empty(const candidate& request) {
  return request.body.empty() ? "The body is empty: something may have read it before." : "";
}

inline std::string suspect_compressed(const candidate& request) {
  const auto body = request.body;
  const bool is_deflate = starts_with(body, "x") && body.substr(1, 1).find_first_of("\x01\x5e\x9c\xda") == 0;
  const char* const format = starts_with(body, "\x1f\x8b")           ? "gzip"
                             : starts_with(body, "\x28\xb5\x2f\xfd") ? "zstd"
                             : is_deflate                            ? "deflate"
                                                                     : nullptr;
  return format == nullptr ? "" : "The body is compressed with " + std::string(format) + ".";
}

inline std::string suspect_length(const candidate& request) {
  std::string what;
  const auto announced = value_of(*request.all_headers, "content-length");
  std::int64_t length = 0;  // written as seconds are
  if (!read_seconds(announced, length) || static_cast<std::uint64_t>(length) == request.body.size()) return what;
  what = "The body has " + std::to_string(request.body.size()) + " bytes, and its Content-Length is " +
         std::to_string(length) + ".";
  return what;
}

}  // namespace anthropic::webhooks::detail
