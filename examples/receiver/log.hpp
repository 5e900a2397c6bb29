// SPDX-License-Identifier: MIT
// The log, on standard output. A thread of its own writes it: nobody else waits for a reader that stalls.
#pragma once

#include "store.hpp"

#include <anthropic/webhooks/timestamp.hpp>

#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>

class Log {
 public:
  Log() {
    std::thread([queue = queue_] { queue->run(); }).detach();
  }
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;
  /// Waits until all is written, but no longer than a second.
  ~Log() {
    std::unique_lock lock(queue_->mutex);
    queue_->done = true;
    queue_->changed.notify_all();
    queue_->changed.wait_for(lock, std::chrono::seconds(1), [this] { return queue_->written; });
  }

  /// Adds a line, with the time. While a thousand wait to be written, it is dropped and counted.
  void operator()(const std::string& line) const {
    const std::lock_guard lock(queue_->mutex);
    queue_->add(line);
  }
  /// The same for a request that was refused. Of those, twenty in ten seconds get a line. The others are summed
  /// up.
  void refused(const std::string& status, const std::string& line) const {
    const std::lock_guard lock(queue_->mutex);
    queue_->add_refused(status, line);
  }
  /// Adds text as it is.
  void print(const std::string& text) const {
    const std::lock_guard lock(queue_->mutex);
    queue_->text += text;
    queue_->changed.notify_all();
  }

 private:
  // The thread shares it with the Log, since it may still hang in write() when the process ends.
  struct Queue {
    std::mutex mutex;
    std::condition_variable changed;
    std::string text;
    std::size_t lines = 0, dropped = 0, refused = 0;
    std::map<std::string, std::size_t> more_refused;  // how many without a line, by status
    std::chrono::steady_clock::time_point sum_up_at;
    bool done = false, written = false;

    void add(const std::string& line) {
      if (lines >= 1000 && ++dropped > 0) return;
      ++lines;
      const auto now = std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now());
      text += anthropic::webhooks::format_timestamp(now) + ' ' + printable(line).substr(0, 400) + '\n';
      changed.notify_all();
    }
    void add_refused(const std::string& status, const std::string& line) {
      const auto now = std::chrono::steady_clock::now();
      if (now >= sum_up_at) {
        sum_up();
        sum_up_at = now + std::chrono::seconds(10);
        refused = 0;
      }
      if (++refused <= 20) return add(line);
      ++more_refused[status];
      changed.notify_all();
    }
    void sum_up() {
      std::string counts;
      for (const auto& [status, n] : more_refused) counts += ' ' + std::to_string(n) + " with " + status;
      if (!counts.empty()) add("more requests were refused:" + counts);
      more_refused.clear();
    }

    void run() {
      std::unique_lock lock(mutex);
      while (!done || !text.empty() || !more_refused.empty()) {
        if (text.empty() && !done) {
          more_refused.empty() ? changed.wait(lock) : void(changed.wait_until(lock, sum_up_at));
        }
        lines = 0;
        if (dropped > 0) add(std::to_string(std::exchange(dropped, 0)) + " lines were dropped: nobody read them");
        if (done || std::chrono::steady_clock::now() >= sum_up_at) sum_up();
        const std::string all = std::exchange(text, {});
        lock.unlock();
        write_all(all);
        lock.lock();
      }
      written = true;
      changed.notify_all();
    }
    static void write_all(std::string_view all) {
      while (!all.empty()) {
        const ssize_t n = write(STDOUT_FILENO, all.data(), all.size());
        if (n >= 0) all.remove_prefix(static_cast<std::size_t>(n));
        if (n >= 0 || errno == EINTR) continue;
        if (errno != EAGAIN) return;
        pollfd room{STDOUT_FILENO, POLLOUT, 0};
        poll(&room, 1, -1);
      }
    }
  };

  std::shared_ptr<Queue> queue_ = std::make_shared<Queue>();
};
