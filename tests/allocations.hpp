// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <limits>

/// What the operator new of allocations.cpp, which replaces the global one, counts and allows.
namespace allocations {
inline constexpr std::size_t unlimited = std::numeric_limits<std::size_t>::max();
inline thread_local std::size_t count = 0;  // by this thread
inline thread_local std::size_t bytes = 0;  // in all of them
inline std::size_t largest = unlimited;     // a larger one throws std::bad_alloc
}  // namespace allocations
