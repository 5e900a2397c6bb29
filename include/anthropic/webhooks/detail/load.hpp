// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

namespace anthropic::webhooks::detail {

/// A byte of 1 eight times, to repeat another byte with.
inline constexpr std::uint64_t ones = ~std::uint64_t{0} / 0xFF;

/// Eight bytes as a number, the first being the lowest. Written so that compilers make it a single load.
constexpr std::uint64_t load_little_endian(const char* bytes) noexcept {
  const auto byte = [bytes](int i) { return std::uint64_t{static_cast<unsigned char>(bytes[i])} << (8 * i); };
  return byte(0) | byte(1) | byte(2) | byte(3) | byte(4) | byte(5) | byte(6) | byte(7);
}

}  // namespace anthropic::webhooks::detail
