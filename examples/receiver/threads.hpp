// SPDX-License-Identifier: MIT
// The threads between the server and the store: one that records, and some that handle.
#pragma once

#include "http.hpp"

#include <atomic>
#include <cstdint>

/// Records, in one commit, what many sessions hand over at the same time. For fifty it takes as long as for one.
class Recorder {
 public:
  explicit Recorder(const std::string& database) : store_(open_store(database, Purpose::record)) {}

  /// Returns whether the delivery is new. Throws an exception derived from std::exception, after five seconds at
  /// most, if the delivery is perhaps not on disk. With an empty id it records nothing, but throws where it could
  /// not.
  asio::awaitable<bool> record(std::string id, std::string body) {
    const auto executor = co_await asio::this_coro::executor;
    const auto mine = std::make_shared<Delivery>(asio::steady_timer(executor), std::move(id), std::move(body));
    {
      const std::lock_guard lock(mutex_);
      waiting_.push_back(mine);
    }
    changed_.notify_one();
    beast::error_code canceled;  // when there is a result
    mine->limit.expires_after(std::chrono::seconds(5));
    co_await mine->limit.async_wait(asio::redirect_error(asio::use_awaitable, canceled));
    if (mine->error) std::rethrow_exception(mine->error);
    if (!mine->finished) throw std::runtime_error("the database does not answer");
    co_return mine->is_new;
  }

 private:
  struct Delivery {
    asio::steady_timer limit;
    std::string id, body;
    bool finished = false, is_new = false;
    std::exception_ptr error{};
    Delivery(asio::steady_timer t, std::string i, std::string b)
        : limit(std::move(t)), id(std::move(i)), body(std::move(b)) {}
  };

  void run(const std::stop_token& stop) {
    for (;;) {
      std::vector<std::shared_ptr<Delivery>> batch;
      {
        std::unique_lock lock(mutex_);
        if (!changed_.wait(lock, stop, [this] { return !waiting_.empty(); })) return;
        batch.swap(waiting_);
      }
      std::map<std::string, std::string> bodies;
      for (const auto& each : batch) {
        if (!each->id.empty()) bodies.emplace(each->id, std::move(each->body));
      }
      std::set<std::string> new_ids;
      std::exception_ptr error;
      try {
        new_ids = store_->record(bodies);
      } catch (...) {
        error = std::current_exception();
      }
      // The sessions' own thread sets the results, so that none is read while it is written.
      const auto executor = batch[0]->limit.get_executor();
      asio::post(executor, [batch = std::move(batch), ids = std::move(new_ids), error]() mutable {
        for (const auto& each : batch) {
          each->finished = true;
          each->is_new = ids.erase(each->id) > 0;
          each->error = error;
          each->limit.cancel();
        }
      });
    }
  }

  std::unique_ptr<Store> store_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::vector<std::shared_ptr<Delivery>> waiting_;
  std::jthread thread_{[this](const std::stop_token& stop) { run(stop); }};
};

/// Handles what is due, from start() until it is destroyed: with PostgreSQL in two threads, so that a slow handler
/// does not hold up the others. With SQLite nothing would keep the second from an event that the first handles.
class Handlers {
 public:
  Handlers(const std::string& database, Handler handler) : handler_(std::move(handler)) {
    for (int n = is_postgres(database) ? 2 : 1; n > 0; --n)
      stores_.push_back(open_store(database, Purpose::handle));
  }
  ~Handlers() {
    for (auto& thread : threads_) thread.request_stop();  // all of them, before the first is waited for
  }

  std::atomic<std::uint64_t> handled{0}, failed{0};  ///< Events, and attempts that failed.

  void start() {
    for (auto& store : stores_) {
      threads_.emplace_back([this, &store](const std::stop_token& stop) { run(stop, *store); });
    }
  }
  /// Tells of a new event. Without this call it is found within a second, as are the events of other receivers.
  void wake() {
    {
      const std::lock_guard lock(mutex_);
      ++recorded_;
    }
    changed_.notify_one();
  }

 private:
  void run(const std::stop_token& stop, Store& store) {
    const auto tell = [this](const auto& id, const auto& reason) {
      ++failed;
      the_log.line("not handled: " + id + ": " + reason);
    };
    std::string problem;
    for (std::unique_lock lock(mutex_); !stop.stop_requested();) {
      const unsigned seen = recorded_;
      lock.unlock();
      bool more = false;
      try {
        more = store.handle_next(
            [this](auto& db, const auto& id, const auto& body) {
              handler_(db, id, body);
              ++handled;
            },
            tell);
        problem.clear();
      } catch (...) {
        if (problem != current_reason()) the_log.line(problem = current_reason());
      }
      lock.lock();
      if (!more) changed_.wait_for(lock, stop, std::chrono::seconds(1), [&] { return recorded_ != seen; });
    }
  }

  std::vector<std::unique_ptr<Store>> stores_;
  Handler handler_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  unsigned recorded_ = 0;
  std::vector<std::jthread> threads_;
};
