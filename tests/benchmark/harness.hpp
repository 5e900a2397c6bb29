// SPDX-License-Identifier: MIT
#pragma once

#include "../allocations.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <functional>
#include <string>
#include <utility>
#include <vector>

/// Neither Catch2 nor Google Benchmark will do. Catch2 times one row after another, so a change in the machine's
/// speed would look like one in the code's; Google Benchmark can interleave rows, but prints no ratios.
namespace harness {

struct row {
  std::string name;
  std::function<void(std::size_t)> repeat;  // calls the measured function that many times
};

struct result {
  double ns;           // per call, median
  double allocations;  // per call, mean; without the buffers that parsers keep
};

template <class T>
void keep(const T& value) {
  asm volatile("" : : "r"(&value) : "memory");
}

template <class F>
row make_row(std::string name, F f) {
  return {std::move(name), [f](std::size_t times) mutable {
            for (; times > 0; --times) keep(f());
          }};
}

inline std::chrono::duration<double, std::nano> time(const row& row, std::size_t times) {
  const auto start = std::chrono::steady_clock::now();
  row.repeat(times);
  return std::chrono::steady_clock::now() - start;
}

/// Times a slice of every row in each round, and starts each round with another row. Slices are short, so other
/// processes interrupt few of them, and the median leaves those out. A row repeats itself after `period` calls.
inline std::vector<result> measure(const std::vector<row>& rows, std::size_t period = 1,
                                   std::chrono::nanoseconds slice = std::chrono::microseconds{200}) {
  constexpr std::size_t rounds = 501;
  std::vector<std::size_t> times(rows.size(), 1);
  std::vector<std::vector<double>> samples(rows.size());
  std::vector<result> results;

  for (std::size_t i = 0; i < rows.size(); ++i) {
    const auto best = [&] {
      return std::min({time(rows[i], times[i]), time(rows[i], times[i]), time(rows[i], times[i])});
    };
    while (best() < slice) times[i] *= 2;
  }
  for (std::size_t round = 0; round < rounds; ++round) {
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const auto at = (i + round) % rows.size();
      samples[at].push_back(time(rows[at], times[at]).count() / static_cast<double>(times[at]));
    }
  }
  for (std::size_t i = 0; i < rows.size(); ++i) {
    std::nth_element(samples[i].begin(), samples[i].begin() + rounds / 2, samples[i].end());
    const auto before = allocations::count;
    rows[i].repeat(period);
    results.push_back(
        {samples[i][rounds / 2], static_cast<double>(allocations::count - before) / static_cast<double>(period)});
  }
  return results;
}

}  // namespace harness
