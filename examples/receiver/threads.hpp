// SPDX-License-Identifier: MIT
// The threads between the server and the store: one that records, and some that handle.
#pragma once

#include "store.hpp"

#include <chrono>
#include <condition_variable>
#include <exception>
#include <future>
#include <mutex>
#include <stdexcept>
#include <thread>
#include <utility>

/// Records, in one commit, what many threads hand over at the same time. For fifty it takes as long as for one.
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
  /// most, if the delivery is perhaps not on disk.
  bool record(const std::string& id, const std::string& body) {
    Delivery delivery{id, body, {}};
    auto is_new = delivery.is_new.get_future();
    {
      const std::lock_guard lock(mutex_);
      waiting_.push_back(std::move(delivery));
    }
    changed_.notify_one();
    if (is_new.wait_for(std::chrono::seconds(5)) == std::future_status::ready) return is_new.get();
    throw std::runtime_error("the database does not answer");
  }

 private:
  struct Delivery {
    std::string id, body;
    std::promise<bool> is_new;
  };

  void run() {
    for (;;) {
      std::vector<Delivery> batch;
      {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this] { return done_ || !waiting_.empty(); });
        if (waiting_.empty()) return;
        batch.swap(waiting_);
      }
      try {
        std::map<std::string, std::string> bodies;
        for (auto& delivery : batch) bodies.emplace(delivery.id, std::move(delivery.body));
        auto new_ids = store_->record(bodies);
        for (auto& delivery : batch) delivery.is_new.set_value(new_ids.erase(delivery.id) > 0);
      } catch (...) {
        for (auto& delivery : batch) delivery.is_new.set_exception(std::current_exception());
      }
    }
  }

  std::unique_ptr<Store> store_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Delivery> waiting_;
  bool done_ = false;
  std::thread thread_;
};

/// Handles what is due, in a thread for each store, until it is destroyed.
class Handlers {
 public:
  using Log = void (*)(const std::string&);

  Handlers(std::vector<std::unique_ptr<Store>> stores, Handler handler, Failed failed, Log log)
      : stores_(std::move(stores)), handler_(std::move(handler)), failed_(std::move(failed)), log_(log) {
    for (auto& store : stores_) threads_.emplace_back([this, &store] { run(*store); });
  }
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
    std::string problem;
    std::unique_lock lock(mutex_);
    while (!done_) {
      const unsigned seen = recorded_;
      lock.unlock();
      bool more = false;
      try {
        more = store.handle_next(handler_, failed_);
        problem.clear();
      } catch (const std::exception& e) {
        if (problem != e.what()) log_(problem = e.what());
      }
      lock.lock();
      if (!more) changed_.wait_for(lock, std::chrono::seconds(1), [&] { return done_ || recorded_ != seen; });
    }
  }

  std::vector<std::unique_ptr<Store>> stores_;
  Handler handler_;
  Failed failed_;
  Log log_;
  std::mutex mutex_;
  std::condition_variable changed_;
  unsigned recorded_ = 0;
  bool done_ = false;
  std::vector<std::thread> threads_;
};
