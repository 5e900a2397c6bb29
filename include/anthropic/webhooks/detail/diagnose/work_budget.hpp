// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>

namespace anthropic::webhooks::detail {

/// The bytes that one diagnosis writes and hashes.
class work_budget {
 public:
  static constexpr std::size_t limit = std::size_t{512} << 20;

  /// Counts bytes that are about to be written or hashed. Returns false, from then on, if that exceeds the limit.
  [[nodiscard]] bool spend(std::size_t bytes) {
    is_exceeded_ = is_exceeded_ || bytes > limit - spent_;
    if (!is_exceeded_) spent_ += bytes;
    return !is_exceeded_;
  }
  [[nodiscard]] std::size_t spent() const { return spent_; }
  [[nodiscard]] std::size_t left() const { return is_exceeded_ ? 0 : limit - spent_; }
  [[nodiscard]] bool is_exceeded() const { return is_exceeded_; }

 private:
  std::size_t spent_ = 0;
  bool is_exceeded_ = false;
};

}  // namespace anthropic::webhooks::detail
