// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <limits>

/// Counts allocations and limits their size: allocations.cpp replaces the global operator new.
namespace allocations {
inline constexpr std::size_t unlimited = std::numeric_limits<std::size_t>::max();
inline thread_local std::size_t count = 0;  // allocations by this thread
inline thread_local std::size_t bytes = 0;  // their total size
inline std::size_t largest = unlimited;     // anything larger throws std::bad_alloc
}  // namespace allocations
