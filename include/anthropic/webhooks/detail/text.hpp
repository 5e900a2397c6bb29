// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace anthropic::webhooks::detail {

/// U+FEFF in UTF-8, which some editors put at the start of a file.
inline constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";

constexpr bool starts_with(std::string_view text, std::string_view prefix) noexcept {
  return text.substr(0, prefix.size()) == prefix;
}

/// The value of a hexadecimal digit, or 16 for any other character.
constexpr std::uint32_t hex_digit(char c) noexcept {
  const auto digit = std::string_view("0123456789abcdefABCDEF").find(c);
  return static_cast<std::uint32_t>(digit == std::string_view::npos ? 16 : digit < 16 ? digit : digit - 6);
}

/// Room for a text of a known size. Only a long one takes an allocation.
class text_buffer {
 public:
  text_buffer() {}  // NOLINT(modernize-use-equals-default): by default, text_buffer{} would be zeroed
  text_buffer(const text_buffer&) = delete;
  text_buffer& operator=(const text_buffer&) = delete;

  char* resize(std::size_t size) {
    if (size <= small_.size()) return small_.data();
    large_.resize(size);
    return large_.data();
  }

 private:
  std::array<char, 128> small_;
  std::string large_;
};

/// 0x0101010101010101: a byte times this is that byte eight times.
inline constexpr std::uint64_t ones = ~std::uint64_t{0} / 0xFF;

/// Eight bytes as a number, the first being the lowest. Written so that compilers make it a single load.
constexpr std::uint64_t load_little_endian(const char* bytes) noexcept {
  const auto byte = [bytes](int i) { return std::uint64_t{static_cast<unsigned char>(bytes[i])} << (8 * i); };
  return byte(0) | byte(1) | byte(2) | byte(3) | byte(4) | byte(5) | byte(6) | byte(7);
}

/// The index of the lowest byte with its high bit set, of a word in which no other bits are. The portable way
/// makes a 1 of each byte below that one, and sums them up in the highest byte: multiplying by `ones` adds up all
/// bytes.
constexpr std::size_t lowest_marked_byte_portably(std::uint64_t marks) {
  const std::uint64_t bytes_below = (((marks & (~marks + 1)) >> 7) - 1) & ones;
  return static_cast<unsigned>((bytes_below * ones) >> 56);
}
constexpr std::size_t lowest_marked_byte(std::uint64_t marks) {
#ifdef __GNUC__
  return static_cast<unsigned>(__builtin_ctzll(marks)) / 8;
#else
  return lowest_marked_byte_portably(marks);
#endif
}

}  // namespace anthropic::webhooks::detail
