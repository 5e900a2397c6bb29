// SPDX-License-Identifier: MIT
// The threads that handle.
#pragma once

#include "http.hpp"
#include "store.hpp"

#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <deque>

/// Handles what is due, from start() to stop(): with PostgreSQL in several threads, so that a slow handler does
/// not hold up the others. With SQLite nothing would keep a second one from an event that the first handles.
class Handlers {
 public:
  /// If a handler takes longer than `limit`, the process gets a SIGTERM. The others get the time `last` to
  /// finish. Then the process exits with status 3.
  Handlers(asio::io_context& io, const std::string& database, Handler handler, std::chrono::seconds limit,
           std::chrono::seconds last)
      : io_(io),
        timer_(io),
        exit_(io),
        handler_(std::move(handler)),
        limit_(limit),
        last_(last),
        threads_(is_postgres(database) ? 8 : 1),
        store_(open_store(database, Purpose::handle)) {
    for (auto& thread : threads_) {
      thread.store = open_store(database, Purpose::handle, limit + last);
      resting_.push_back(&thread);
    }
    threads_[0].retries_unparsable = true;
  }
  ~Handlers() {
    pool_.join();
    other_.join();
  }

  std::uint64_t handled = 0, failed = 0;  ///< Events, and attempts that failed.

  void start() {
    asio::co_spawn(io_, watch(), [](std::exception_ptr e) {
      if (e) std::rethrow_exception(e);
    });
    wake();
  }
  /// Tells of a new event. Without this call it is found within a second, as are the events of other receivers.
  void wake() {
    if (is_stopping_) return;
    is_missed_ = resting_.empty() || (threads_[0].retries_unparsable && resting_.front() != &threads_[0]);
    if (is_missed_) return;
    Thread& thread = *resting_.front();
    resting_.pop_front();
    asio::post(pool_, [this, &thread] { handle_next(thread); });
  }
  /// From now on no handler is called. The io_context runs until those running are done, or hang.
  void stop() {
    is_stopping_ = true;
    for (const auto& thread : threads_) {
      if (!thread.id.empty() && !thread.hangs) the_log.line("waiting for the handler of " + thread.id);
    }
    timer_.cancel();
  }
  /// Exits with status 3 if a handler has hung. This does not wait for it, but its event waits for its pause.
  void exit_if_hung() {
    if (!has_hung_) return;
    std::signal(SIGALRM, [](int) { std::_Exit(3); });  // whatever hangs here
    alarm(20);
    for (const auto& thread : threads_) {
      if (!thread.hangs) continue;
      try {
        thread.store->give_up(thread.id);
        the_log.line("put off: " + thread.id);
      } catch (const std::exception& e) {
        the_log.line("not put off: " + thread.id + ": " + e.what());
      }
    }
    the_log.line("exit with status 3, since a handler hangs");
    the_log.end();
    std::_Exit(3);
  }

  /// Throws DatabaseError.
  asio::awaitable<Backlog> backlog() {
    const auto count = [this]() -> asio::awaitable<Backlog> { co_return store_->backlog(); };
    co_return co_await asio::co_spawn(other_, count, asio::use_awaitable);
  }

 private:
  using clock = std::chrono::steady_clock;
  struct Thread {
    std::unique_ptr<Store> store;
    std::string id, problem;  // of the event that is being handled, and why the last one could not be
    clock::time_point begin;
    bool is_slow = false, hangs = false, retries_unparsable = false;
  };

  // In a thread of the pool.
  void handle_next(Thread& thread) {
    std::optional<Attempt> attempt;
    std::string problem;
    try {
      if (thread.retries_unparsable) {
        thread.store->retry_unparsable();
        asio::post(io_, [this] { start_others(); });
      }
      attempt = thread.store->handle_next([&](Transaction& db, const std::string& id, const std::string& body) {
        asio::post(io_, [&thread, id, now = clock::now()] {
          thread.id = id;
          thread.begin = now;
        });
        handler_(db, id, body);
      });
    } catch (...) {
      problem = current_reason();
    }
    asio::post(io_, [this, &thread, attempt, problem] { finish(thread, attempt, problem); });
  }

  // Not earlier: they might handle a body that is then made due again.
  void start_others() {
    threads_[0].retries_unparsable = false;
    for (auto n = threads_.size(); n > 1; --n) wake();
  }

  void finish(Thread& thread, const std::optional<Attempt>& attempt, const std::string& problem) {
    const auto has_it = [&](const Thread& each) { return each.problem == problem; };
    if (!problem.empty() && std::none_of(threads_.begin(), threads_.end(), has_it)) the_log.line(problem);
    thread.problem = problem;
    thread.id.clear();
    hanging_ -= thread.hangs;
    thread.is_slow = thread.hangs = false;
    thread.retries_unparsable ? resting_.push_front(&thread) : resting_.push_back(&thread);
    if (attempt) {
      ++(attempt->is_handled ? handled : failed);
      if (!attempt->is_handled) the_log.line("not handled: " + attempt->id + ": " + attempt->reason);
      wake();  // for the next event, and for one more thread, if there are many
      wake();
    } else if (is_missed_) {
      wake();
    }
    if (is_stopping_) timer_.cancel();
  }

  asio::awaitable<void> watch() {
    for (beast::error_code ec; !is_stopping_ || resting_.size() + hanging_ < threads_.size(); wake()) {
      timer_.expires_after(std::chrono::seconds(1));
      co_await timer_.async_wait(asio::redirect_error(asio::use_awaitable, ec));
      for (auto& thread : threads_) {
        if (!thread.id.empty()) check(thread);
      }
    }
    exit_.cancel();
  }

  void check(Thread& thread) {
    const auto time = std::chrono::floor<std::chrono::seconds>(clock::now() - thread.begin);
    const bool is_slow = time >= std::clamp(limit_ / 5, std::chrono::seconds(1), std::chrono::seconds(60));
    const bool hangs = time >= limit_;
    if (is_slow == thread.is_slow && hangs == thread.hangs) return;
    thread.is_slow = is_slow;
    thread.hangs = hangs;
    hanging_ += hangs;
    the_log.line("the handler of " + thread.id + " has been running for " + std::to_string(time.count()) + " s" +
                 (hangs ? ": the receiver stops" : ""));
    if (hangs && !has_hung_) stop_soon();
  }

  // The port closes, so other handlers get only `last_`. What they have not committed is tried again.
  void stop_soon() {
    has_hung_ = true;
    exit_.expires_after(last_);
    exit_.async_wait([this](const beast::error_code& canceled) {
      if (!canceled) exit_if_hung();
    });
    if (!is_stopping_) std::raise(SIGTERM);  // a second one would cut the grace period short
  }

  asio::io_context& io_;
  asio::steady_timer timer_, exit_;
  const Handler handler_;
  const std::chrono::seconds limit_, last_;
  std::vector<Thread> threads_;
  const std::unique_ptr<Store> store_;
  std::deque<Thread*> resting_;
  std::size_t hanging_ = 0;
  bool is_missed_ = false;  // an event, since no thread was resting
  bool is_stopping_ = false, has_hung_ = false;
  asio::thread_pool pool_{threads_.size()}, other_{1};  // the other for what goes on while all handlers hang
};
