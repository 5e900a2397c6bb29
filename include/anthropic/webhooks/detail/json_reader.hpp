// SPDX-License-Identifier: MIT
#pragma once

#include <anthropic/webhooks/detail/text.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

/// JSON text (RFC 8259) in UTF-8, read strictly, in one pass and without recursion. It knows nothing of webhooks.
namespace anthropic::webhooks::detail {

/// The type of a value. This reader never finds `absent` and `other`.
enum class json_type : unsigned char { absent, other, null, boolean, number, array, object, string };

constexpr const char* name_of(json_type type) {
  constexpr std::array names{"nothing", "another type", "null", "boolean", "number", "array", "object", "string"};
  return names[static_cast<std::size_t>(type)];
}

/// Finds the first byte that is a quote, a backslash, a control character or not ASCII.
#ifdef __clang__
[[clang::no_sanitize("unsigned-integer-overflow")]]  // the borrow
#endif
inline const char*
skip_plain(const char* at, const char* end) {
  // Eight bytes at a time, which takes a tenth off a delivery ("Determine if a word has a byte less than n", in
  // Bit Twiddling Hacks: https://graphics.stanford.edu/~seander/bithacks.html). Subtracting n from each byte sets
  // the high bit of the lowest byte that is less than n. A borrow may set it wrongly in higher bytes, but only the
  // lowest is used. Flipping bit 1 moves the quote (0x22) next to the control characters (below 0x20, and then
  // below 0x21).
  for (; end - at >= 8; at += 8) {
    const std::uint64_t word = load_little_endian(at);
    const std::uint64_t quote_or_control = (word ^ (ones * 2)) - ones * 0x21;
    const std::uint64_t backslash = (word ^ (ones * '\\')) - ones;
    std::uint64_t special = (quote_or_control | backslash | word) & (ones * 0x80);
    if (special == 0) continue;
    for (; (special & 0x80) == 0; special >>= 8) ++at;
    return at;
  }
  const auto is_plain = [](unsigned char c) { return c >= ' ' && c < 0x80 && c != '"' && c != '\\'; };
  while (at != end && is_plain(static_cast<unsigned char>(*at))) ++at;
  return at;
}

constexpr bool is_surrogate(std::uint32_t code_point) { return code_point >= 0xD800 && code_point < 0xE000; }

/// The character that an escape with four digits stands for, or two escapes that are a surrogate pair. It may
/// be a lone surrogate. The size is 0 if there is no such escape at the start of the text.
struct unicode_escape {
  std::uint32_t code_point;
  std::size_t size;
};
inline unicode_escape unicode_escape_at(std::string_view text) {
  constexpr std::uint32_t no_unit = 0x10000;
  const auto unit_at = [text](std::size_t at) {
    if (text.size() < at + 6 || text[at] != '\\' || text[at + 1] != 'u') return no_unit;
    std::uint32_t unit = 0;
    for (const char c : text.substr(at + 2, 4)) {
      if (hex_digit(c) == 16) return no_unit;
      unit = unit << 4 | hex_digit(c);
    }
    return unit;
  };
  const auto unit = unit_at(0);
  if (unit == no_unit) return {0, 0};
  const auto low = unit_at(6);
  if (!is_surrogate(unit) || !is_surrogate(low) || unit >= 0xDC00 || low < 0xDC00) return {unit, 6};
  return {0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00), 12};
}

/// Appends the text between the quotes of a JSON string without its escapes. A lone surrogate, which RFC 8259,
/// section 8.2 leaves open, becomes U+FFFD. The result is never longer than the text.
inline void append_unescaped(std::string_view text, std::string& result) {
  for (;;) {
    const auto plain = (std::min)(text.find('\\'), text.size());
    result.append(text.substr(0, plain));
    text.remove_prefix(plain);
    if (text.empty()) return;
    const auto escape = unicode_escape_at(text);
    if (escape.size == 0) {
      constexpr std::string_view letters = "bfnrt";
      const auto letter = letters.find(text[1]);
      result += letter == std::string_view::npos ? text[1] : "\b\f\n\r\t"[letter];
      text.remove_prefix(2);
      continue;
    }
    text.remove_prefix(escape.size);
    const std::uint32_t code_point = is_surrogate(escape.code_point) ? 0xFFFD : escape.code_point;
    // In UTF-8: the lead byte tells how many more there are, of six bits each.
    const unsigned more = code_point < 0x80 ? 0 : code_point < 0x800 ? 1 : code_point < 0x10000 ? 2 : 3;
    const std::uint32_t lead = more == 0 ? 0 : 0xFF00U >> (more + 1) & 0xFF;
    result += static_cast<char>(lead | code_point >> (6 * more));
    for (unsigned i = more; i > 0; --i) result += static_cast<char>(0x80 | (code_point >> (6 * (i - 1)) & 0x3F));
  }
}

/// Skips a piece of JSON at a position in a text, and returns the position after it. It fails at the first byte
/// that no JSON text could have there. From then on, every function returns the end of the text.
class json_reader {
 public:
  explicit json_reader(std::string_view text)
      : begin_(text.empty() ? "" : text.data()), end_(begin_ + text.size()) {}

  [[nodiscard]] const char* end() const { return end_; }
  [[nodiscard]] bool failed() const { return failed_at_ != nullptr; }
  /// Where it failed, in bytes from the start of the text.
  [[nodiscard]] std::size_t failed_at() const { return static_cast<std::size_t>(failed_at_ - begin_); }
  const char* fail(const char* at) {
    if (failed_at_ == nullptr) failed_at_ = at;
    return end_;
  }

  [[nodiscard]] bool is_at(char expected, const char* at) const { return at != end_ && *at == expected; }
  template <std::size_t Size>  // which the compiler knows, so that it compares without a call
  [[nodiscard]] bool is_at(const std::array<char, Size>& expected, const char* at) const {
    return static_cast<std::size_t>(end_ - at) >= Size && std::memcmp(at, expected.data(), Size) == 0;
  }

  [[nodiscard]] const char* skip_byte_order_mark() {
    return is_at(byte_order_mark[0], begin_) ? skip(byte_order_mark, begin_) : begin_;
  }

  [[nodiscard]] const char* skip_space(const char* at) const {
    while (at != end_ && *at <= ' ' && (*at == ' ' || *at == '\n' || *at == '\r' || *at == '\t')) ++at;
    return at;
  }

  [[nodiscard]] const char* skip(std::string_view expected, const char* at) {
    for (const char c : expected) at = at != end_ && *at == c ? at + 1 : fail(at);
    return at;
  }

  /// Skips a string whose opening quote is before `at`, and says whether it has escapes.
  [[nodiscard]] const char* skip_string(const char* at, bool& has_escapes) {
    has_escapes = false;
    while (!is_at('"', at = skip_plain(at, end_))) {
      if (at == end_) return fail(at);
      has_escapes = has_escapes || *at == '\\';
      at = *at == '\\' ? skip_escape(at + 1) : skip_utf8(at);
    }
    return at + 1;
  }

  /// Skips any value, and says of which type it is. It takes a byte of memory for each level that the value nests.
  [[nodiscard]] const char* skip_value(const char* at, json_type& type) {
    if (!is_at('{', at) && !is_at('[', at)) return skip_scalar(at, type);
    type = *at == '{' ? json_type::object : json_type::array;
    return skip_nested(at);
  }

 private:
  const char* skip_nested(const char* at) {
    std::string ends;  // of the objects and arrays around `at`, the innermost last
    json_type ignored_type{};
    bool ignored = false;
    const auto is_end = [&] { return at != end_ && *at == ends.back(); };
    do {
      const bool enters = is_at('{', at) || is_at('[', at);
      if (enters) ends += *at == '{' ? '}' : ']';
      at = skip_space(enters ? at + 1 : skip_scalar(at, ignored_type));
      if (!enters || is_end()) {
        while (is_end()) {
          ends.pop_back();
          if (ends.empty()) return at + 1;
          at = skip_space(at + 1);
        }
        at = skip_space(skip(",", at));
      }
      if (ends.back() == '}') {
        at = skip_string(skip("\"", at), ignored);
        at = skip_space(skip(":", skip_space(at)));
      }
    } while (!failed());
    return at;
  }

  const char* skip_scalar(const char* at, json_type& type) {
    const char first = at == end_ ? '\0' : *at;
    if (first == '"') {
      bool ignored = false;
      type = json_type::string;
      return skip_string(at + 1, ignored);
    }
    type = first == 'n' ? json_type::null : json_type::boolean;
    if (first == 'n') return skip("null", at);
    if (first == 't') return skip("true", at);
    if (first == 'f') return skip("false", at);
    type = json_type::number;
    return skip_number(at);
  }

  const char* skip_number(const char* at) {
    if (is_at('-', at)) ++at;
    at = is_at('0', at) ? at + 1 : skip_digits(at);
    if (is_at('.', at)) at = skip_digits(at + 1);
    if (!is_at('e', at) && !is_at('E', at)) return at;
    ++at;
    return skip_digits(is_at('+', at) || is_at('-', at) ? at + 1 : at);
  }

  const char* skip_digits(const char* at) {
    const auto is_digit = [&] { return at != end_ && *at >= '0' && *at <= '9'; };
    if (!is_digit()) return fail(at);
    while (is_digit()) ++at;
    return at;
  }

  const char* skip_escape(const char* at) {
    constexpr std::string_view letters = "\"\\/bfnrt";
    if (!is_at('u', at)) return at != end_ && letters.find(*at) != std::string_view::npos ? at + 1 : fail(at);
    for (int digits = 0; digits < 4; ++digits) {
      if (++at == end_ || hex_digit(*at) == 16) return fail(at);
    }
    return at + 1;
  }

  /// Skips characters that are not ASCII. The ranges are those of RFC 3629, section 4.
  const char* skip_utf8(const char* at) {
    do {
      const auto lead = static_cast<unsigned char>(*at);
      if (lead < 0xC2 || lead > 0xF4) return fail(at);
      int lowest = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
      int highest = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
      for (int more = lead < 0xE0 ? 1 : lead < 0xF0 ? 2 : 3; more > 0; --more) {
        const int byte = ++at == end_ ? 0 : static_cast<unsigned char>(*at);
        if (byte < lowest || byte > highest) return fail(at);
        lowest = 0x80;
        highest = 0xBF;
      }
      ++at;
    } while (at != end_ && static_cast<unsigned char>(*at) >= 0x80);
    return at;
  }

  const char* begin_;
  const char* end_;
  const char* failed_at_ = nullptr;
};

}  // namespace anthropic::webhooks::detail
