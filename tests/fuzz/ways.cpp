// SPDX-License-Identifier: MIT
// unwrap() and nlohmann/json agree on any body, except for the intended differences.
#include "../ways.hpp"
#include "require.hpp"

#include <cstddef>
#include <cstdint>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  require(ways::agree({reinterpret_cast<const char*>(data), size}), "the ways agree");
  return 0;
}
