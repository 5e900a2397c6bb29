// SPDX-License-Identifier: MIT
// unwrap() and nlohmann/json make the same of any body, but for the differences that are meant.
#include "../ways.hpp"
#include "require.hpp"

#include <cstddef>
#include <cstdint>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  require(ways::agree({reinterpret_cast<const char*>(data), size}), "the ways agree");
  return 0;
}
