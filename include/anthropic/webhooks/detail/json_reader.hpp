// SPDX-License-Identifier: MIT
#pragma once

#include <anthropic/webhooks/detail/text.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

/// JSON text (RFC 8259) in UTF-8, read strictly, in one pass and without recursion. It knows nothing of webhooks.
namespace anthropic::webhooks::detail {

/// What a value is; `absent` and `other` are for what is not read here.
enum class json_type : unsigned char {
  absent,
  other,
  null,
  boolean,
  number,
  array,
  object,
  string,
  escaped_string
};

constexpr const char* name_of(json_type type) {
  constexpr const char* names[] = {"nothing", "another type", "null",   "boolean", "number",
                                   "array",   "object",       "string", "string"};
  return names[static_cast<std::size_t>(type)];
}

/// Finds the first byte that is a quote, a backslash, a control character or not ASCII.
inline const char* skip_plain(const char* at, const char* end);

/// Writes what the text between the quotes of a valid JSON string stands for to `out`, which may be where that
/// text is, and returns the end of it. It is never longer than the text.
inline char* unescape(std::string_view text, char* out);

constexpr bool is_high_surrogate(std::uint32_t unit) { return unit >= 0xD800 && unit < 0xDC00; }
constexpr bool is_low_surrogate(std::uint32_t unit) { return unit >= 0xDC00 && unit < 0xE000; }

/// Skips what stands at a position in a text, and returns the position behind it. It fails at the first byte that
/// no JSON text could have there, and for a lone surrogate at its last digit. From then on, every function returns
/// the end of the text.
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
  [[nodiscard]] bool starts_with_at(std::string_view expected, const char* at) const {
    return static_cast<std::size_t>(end_ - at) >= expected.size() &&
           std::memcmp(at, expected.data(), expected.size()) == 0;
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

  /// Skips a string whose opening quote is before `at`. `type` becomes escaped_string where it has an escape.
  [[nodiscard]] const char* skip_string(const char* at, json_type& type) {
    type = json_type::string;
    for (;;) {
      at = skip_plain(at, end_);
      if (at == end_) return fail(at);
      if (*at == '"') return at + 1;
      if (*at == '\\') type = json_type::escaped_string;
      at = *at == '\\' ? skip_escape(at + 1) : skip_utf8(at);
    }
  }

  /// Skips any value, and says what it is. It needs a byte for each level that the value nests.
  [[nodiscard]] const char* skip_value(const char* at, json_type& type) {
    if (!is_at('{', at) && !is_at('[', at)) return skip_scalar(at, type);
    type = *at == '{' ? json_type::object : json_type::array;
    return skip_nested(at);
  }

 private:
  const char* skip_nested(const char* at) {
    std::string ends;  // of the objects and arrays around `at`, the innermost last
    json_type ignored{};
    const auto is_end = [&] { return at != end_ && *at == ends.back(); };
    do {
      const bool enters = is_at('{', at) || is_at('[', at);
      if (enters) ends += *at == '{' ? '}' : ']';
      at = skip_space(enters ? at + 1 : skip_scalar(at, ignored));
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
    if (first == '"') return skip_string(at + 1, type);
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
    std::uint32_t unit = 0;
    at = skip_hex_digits(at + 1, unit);
    if (is_low_surrogate(unit)) return fail(at - 1);
    if (!is_high_surrogate(unit)) return at;
    at = skip_hex_digits(skip("\\u", at), unit);
    return is_low_surrogate(unit) ? at : fail(at - 1);
  }

  const char* skip_hex_digits(const char* at, std::uint32_t& value) {
    value = 0;
    for (const char* const begin = at; at - begin < 4; ++at) {
      const std::uint32_t digit = at == end_ ? 16 : hex_digit(*at);
      if (digit == 16) return fail(at);
      value = value << 4 | digit;
    }
    return at;
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

// ---------------------------------------------------------------------------------------------------

#ifdef __clang__
[[clang::no_sanitize("unsigned-integer-overflow")]]  // the borrow
#endif
inline const char*
skip_plain(const char* at, const char* end) {
  // Eight bytes at a time ("Determine if a word has a byte less than n", in Bit Twiddling Hacks:
  // https://graphics.stanford.edu/~seander/bithacks.html). Subtracting n from each byte sets the high bit of the
  // lowest byte that is less than n. A borrow may set it wrongly in higher bytes, but only the lowest is used. To
  // change the bit of 2 puts the quote (0x22) next to the control characters (below 0x20, and then below 0x21).
  for (; end - at >= 8; at += 8) {
    const std::uint64_t word = load_little_endian(at);
    const std::uint64_t quote_or_control = (word ^ (ones * 2)) - ones * 0x21;
    const std::uint64_t backslash = (word ^ (ones * '\\')) - ones;
    const std::uint64_t special = (quote_or_control | backslash | word) & (ones * 0x80);
    if (special != 0) return at + lowest_marked_byte(special);
  }
  const auto is_plain = [](unsigned char c) { return c >= ' ' && c < 0x80 && c != '"' && c != '\\'; };
  while (at != end && is_plain(static_cast<unsigned char>(*at))) ++at;
  return at;
}

inline char* unescape(std::string_view text, char* out) {
  const char* at = text.data();
  const char* const end = at + text.size();
  const auto unit = [&at] {
    std::uint32_t value = 0;
    for (int i = 0; i < 4; ++i) value = value << 4 | hex_digit(*at++);
    return value;
  };
  while (at != end) {
    if (*at != '\\') {
      *out++ = *at++;
      continue;
    }
    constexpr std::string_view letters = "bfnrt";
    const char escape = at[1];
    at += 2;
    if (escape != 'u') {
      const auto letter = letters.find(escape);
      *out++ = letter == std::string_view::npos ? escape : "\b\f\n\r\t"[letter];
      continue;
    }
    std::uint32_t code_point = unit();
    if (is_high_surrogate(code_point)) {
      at += 2;
      code_point = 0x10000 + ((code_point - 0xD800) << 10) + (unit() - 0xDC00);
    }
    // In UTF-8: the lead byte tells how many more there are, of six bits each.
    const unsigned more = code_point < 0x80 ? 0 : code_point < 0x800 ? 1 : code_point < 0x10000 ? 2 : 3;
    const std::uint32_t lead = more == 0 ? 0 : 0xFF00U >> (more + 1) & 0xFF;
    *out++ = static_cast<char>(lead | code_point >> (6 * more));
    for (unsigned i = more; i > 0; --i) *out++ = static_cast<char>(0x80 | (code_point >> (6 * (i - 1)) & 0x3F));
  }
  return out;
}

}  // namespace anthropic::webhooks::detail
