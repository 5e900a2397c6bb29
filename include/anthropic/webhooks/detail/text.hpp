// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace anthropic::webhooks::detail {

/// U+FEFF in UTF-8, which some editors put at the start of a file.
inline constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";

constexpr bool starts_with(std::string_view text, std::string_view prefix) noexcept {
  return text.substr(0, prefix.size()) == prefix;
}

constexpr char to_lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

inline bool equal_ignoring_case(std::string_view name, std::string_view lower) noexcept {
  return std::equal(name.begin(), name.end(), lower.begin(), lower.end(),
                    [](char a, char b) { return to_lower(a) == b; });
}

/// The value of a hexadecimal digit, or 16 for any other character.
constexpr std::uint32_t hex_digit(char c) noexcept {
  const auto digit = std::string_view("0123456789abcdefABCDEF").find(c);
  return static_cast<std::uint32_t>(digit == std::string_view::npos ? 16 : digit < 16 ? digit : digit - 6);
}

/// 0x0101010101010101: a byte times this is that byte eight times.
inline constexpr std::uint64_t ones = ~std::uint64_t{0} / 0xFF;

/// Eight bytes as a number, the first being the lowest. Written so that compilers make it a single load.
constexpr std::uint64_t load_little_endian(const char* bytes) noexcept {
  const auto byte = [bytes](int i) { return std::uint64_t{static_cast<unsigned char>(bytes[i])} << (8 * i); };
  return byte(0) | byte(1) | byte(2) | byte(3) | byte(4) | byte(5) | byte(6) | byte(7);
}

}  // namespace anthropic::webhooks::detail
