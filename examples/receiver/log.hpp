// SPDX-License-Identifier: MIT
// The log, on standard output. A thread of its own writes it: nobody waits for a reader that stalls.
#pragma once

#include "store.hpp"

#include <anthropic/webhooks/timestamp.hpp>

#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>

class Log {
 public:
  Log() {
    std::thread([this] { run(); }).detach();
  }

  /// Adds a line, with the time. While a thousand wait to be written, it is dropped and counted.
  void line(const std::string& text) {
    const std::lock_guard lock(mutex_);
    add(text);
  }
  /// The same for a request that was refused. In ten seconds twenty get a line, and the others are summed up.
  void refused(const std::string& text) {
    const std::lock_guard lock(mutex_);
    if (refused_++ == 0) sum_up_at_ = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    if (refused_ <= 20) add(text);
  }
  /// Adds text as it is.
  void print(const std::string& text) {
    const std::lock_guard lock(mutex_);
    waiting_ += text;
    changed_.notify_all();
  }
  /// Writes what is left, and ends. It waits at most a second.
  void end() {
    std::unique_lock lock(mutex_);
    ending_ = true;
    changed_.notify_all();
    changed_.wait_for(lock, std::chrono::seconds(1), [this] { return ended_; });
  }

 private:
  void add(const std::string& text) {
    if (++lines_ > 1000) return;
    const auto now = std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now());
    waiting_ += anthropic::webhooks::format_timestamp(now) + ' ' + printable(text).substr(0, 400) + '\n';
    changed_.notify_all();
  }

  void run() {
    std::unique_lock lock(mutex_);
    while (!ending_ || !waiting_.empty()) {
      changed_.wait_for(lock, std::chrono::seconds(1), [this] { return ending_ || !waiting_.empty(); });
      const int dropped = std::exchange(lines_, 0) - 1000;
      if (dropped > 0) add(std::to_string(dropped) + " lines were dropped, since nobody read them");
      if (ending_ || std::chrono::steady_clock::now() >= sum_up_at_) {
        const int more = std::exchange(refused_, 0) - 20;
        if (more > 0) add(std::to_string(more) + " more requests were refused");
      }
      const std::string text = std::exchange(waiting_, {});
      lock.unlock();
      for (std::string_view rest = text; !rest.empty();) {
        const ssize_t n = write(STDOUT_FILENO, rest.data(), rest.size());
        if (n < 0 && errno != EINTR && errno != EAGAIN) break;
        if (n < 0) std::this_thread::sleep_for(std::chrono::milliseconds(10));
        if (n > 0) rest.remove_prefix(static_cast<std::size_t>(n));
      }
      lock.lock();
    }
    ended_ = true;
    changed_.notify_all();
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::string waiting_;
  int lines_ = 0, refused_ = 0;
  std::chrono::steady_clock::time_point sum_up_at_;
  bool ending_ = false, ended_ = false;
};

// It is never destroyed, since its thread may hang in write() when the process ends.
inline Log& the_log = *new Log;
