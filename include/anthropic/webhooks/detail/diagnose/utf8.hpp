// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

/// Single characters in UTF-8 (RFC 3629, section 3).
namespace anthropic::webhooks::detail {

/// The size of a character, by its first byte.
constexpr std::size_t size_of_character(char first) {
  const auto lead = static_cast<unsigned char>(first);
  return lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
}

constexpr std::uint32_t code_point_of(std::string_view character) {
  const auto lead = static_cast<unsigned char>(character[0]);
  std::uint32_t code_point = character.size() == 1 ? lead : lead & (0x7FU >> character.size());
  for (const char c : character.substr(1)) code_point = code_point << 6 | (static_cast<unsigned char>(c) & 0x3F);
  return code_point;
}

/// The character of a code point below U+10000.
inline std::string character_of(std::uint32_t code_point) {
  const auto continuation = [code_point](int shift) {
    return static_cast<char>(0x80 | (code_point >> shift & 0x3F));
  };
  if (code_point < 0x80) return {static_cast<char>(code_point)};
  if (code_point < 0x800) return {static_cast<char>(0xC0 | code_point >> 6), continuation(0)};
  return {static_cast<char>(0xE0 | code_point >> 12), continuation(6), continuation(0)};
}

}  // namespace anthropic::webhooks::detail
