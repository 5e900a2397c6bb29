// SPDX-License-Identifier: MIT
// Replaces the global operator new, so that only one source of a program can include it.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <limits>
#include <new>

namespace allocations {
inline constexpr std::size_t unlimited = std::numeric_limits<std::size_t>::max();
inline thread_local std::size_t count = 0;  // by this thread
inline std::size_t largest = unlimited;     // a larger one throws std::bad_alloc
}  // namespace allocations

// Not inline, as g++ would then see free() take what operator new returned, and warn.
[[gnu::noinline]] void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  ++allocations::count;
  return size <= allocations::largest ? std::malloc(size) : nullptr;
}
[[gnu::noinline]] void* operator new(std::size_t size) {
  void* const memory = operator new(size, std::nothrow);
  return memory != nullptr ? memory : throw std::bad_alloc();
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
