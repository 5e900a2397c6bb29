// SPDX-License-Identifier: MIT
// The threads between the server and the store: one that records, and some that handle.
#pragma once

#include "http.hpp"
#include "store.hpp"

#include <chrono>
#include <condition_variable>
#include <exception>
#include <functional>
#include <mutex>
#include <stdexcept>
#include <thread>
#include <utility>

/// Records, in one commit, what many sessions hand over at the same time. For fifty it takes as long as for one.
class Recorder {
 public:
  explicit Recorder(std::unique_ptr<Store> store) : store_(std::move(store)), thread_([this] { run(); }) {}
  Recorder(const Recorder&) = delete;
  Recorder& operator=(const Recorder&) = delete;
  ~Recorder() {
    {
      const std::lock_guard lock(mutex_);
      done_ = true;
    }
    changed_.notify_one();
    thread_.join();
  }

  /// Returns whether the delivery is new. Throws an exception derived from std::exception, after five seconds at
  /// most, if the delivery is perhaps not on disk. With an empty id it records nothing, and throws unless it
  /// could.
  asio::awaitable<bool> record(std::string id, std::string body) {
    const auto executor = co_await asio::this_coro::executor;
    const auto mine = std::make_shared<Delivery>(executor, std::move(id), std::move(body));
    {
      const std::lock_guard lock(mutex_);
      waiting_.push_back(mine);
    }
    changed_.notify_one();
    boost::system::error_code canceled;  // when there is a result
    mine->limit.expires_after(std::chrono::seconds(5));
    co_await mine->limit.async_wait(asio::redirect_error(asio::use_awaitable, canceled));
    if (mine->error) std::rethrow_exception(mine->error);
    if (!mine->finished) throw std::runtime_error("the database does not answer");
    co_return mine->is_new;
  }

 private:
  struct Delivery {
    Delivery(const asio::any_io_executor& executor, std::string i, std::string b)
        : limit(executor), id(std::move(i)), body(std::move(b)) {}
    asio::steady_timer limit;
    std::string id, body;
    bool finished = false, is_new = false;
    std::exception_ptr error;
  };

  void run() {
    for (;;) {
      std::vector<std::shared_ptr<Delivery>> batch;
      {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this] { return done_ || !waiting_.empty(); });
        if (waiting_.empty()) return;
        batch.swap(waiting_);
      }
      std::map<std::string, std::string> bodies;
      for (const auto& delivery : batch) {
        if (!delivery->id.empty()) bodies.emplace(delivery->id, std::move(delivery->body));
      }
      std::set<std::string> new_ids;
      std::exception_ptr error;
      try {
        new_ids = store_->record(bodies);
      } catch (...) {
        error = std::current_exception();
      }
      // In the thread of the sessions, so that none of them reads what is half written.
      const auto executor = batch[0]->limit.get_executor();
      asio::post(executor, [batch = std::move(batch), ids = std::move(new_ids), error]() mutable {
        for (const auto& delivery : batch) {
          delivery->finished = true;
          delivery->is_new = ids.erase(delivery->id) > 0;
          delivery->error = error;
          delivery->limit.cancel();
        }
      });
    }
  }

  std::unique_ptr<Store> store_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::shared_ptr<Delivery>> waiting_;
  bool done_ = false;
  std::thread thread_;
};

/// Handles what is due, in a thread for each store, from start() until it is destroyed.
class Handlers {
 public:
  Handlers(std::vector<std::unique_ptr<Store>> stores, const Log& log, Handler handler)
      : stores_(std::move(stores)), log_(log), handler_(std::move(handler)) {}
  Handlers(const Handlers&) = delete;
  Handlers& operator=(const Handlers&) = delete;
  ~Handlers() {
    {
      const std::lock_guard lock(mutex_);
      done_ = true;
    }
    changed_.notify_all();
    for (auto& thread : threads_) thread.join();
  }

  void start() {
    for (auto& store : stores_) threads_.emplace_back([this, &store] { run(*store); });
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
  void run(Store& store) {
    const Failed failed = [this](const auto& id, const auto& reason) {
      log_("not handled: " + id + ": " + reason);
    };
    std::string problem;
    std::unique_lock lock(mutex_);
    while (!done_) {
      const unsigned seen = recorded_;
      lock.unlock();
      bool more = false;
      try {
        more = store.handle_next(handler_, failed);
        problem.clear();
      } catch (...) {
        if (problem != current_reason()) log_(problem = current_reason());
      }
      lock.lock();
      if (!more) changed_.wait_for(lock, std::chrono::seconds(1), [&] { return done_ || recorded_ != seen; });
    }
  }

  std::vector<std::unique_ptr<Store>> stores_;
  const Log& log_;
  Handler handler_;
  std::mutex mutex_;
  std::condition_variable changed_;
  unsigned recorded_ = 0;
  bool done_ = false;
  std::vector<std::thread> threads_;
};
