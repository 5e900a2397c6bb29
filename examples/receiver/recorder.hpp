// SPDX-License-Identifier: MIT
// The thread that records.
#pragma once

#include "http.hpp"
#include "store.hpp"

/// Records, in one commit, what many sessions hand over at the same time. For fifty it takes as long as for one.
class Recorder {
 public:
  Recorder(asio::io_context& io, const std::string& database)
      : io_(io), store_(open_store(database, Purpose::record)) {}
  ~Recorder() { pool_.join(); }

  /// Returns whether the delivery is new. Throws an exception derived from std::exception, after five seconds at
  /// most, if the delivery may not be on disk. With an empty id it only checks that it could record.
  asio::awaitable<bool> record(std::string id, std::string body) {
    const auto mine =
        std::make_shared<Delivery>(Delivery{asio::steady_timer(io_), std::move(id), std::move(body)});
    waiting_.push_back(mine);
    record_waiting();
    beast::error_code canceled;  // when there is a result
    mine->limit.expires_after(std::chrono::seconds(5));
    co_await mine->limit.async_wait(asio::redirect_error(asio::use_awaitable, canceled));
    if (!mine->result) throw std::runtime_error("the database does not answer");
    if (mine->result->error) std::rethrow_exception(mine->result->error);
    co_return mine->result->is_new;
  }

 private:
  struct Result {
    bool is_new = false;
    std::exception_ptr error{};
  };
  struct Delivery {
    asio::steady_timer limit;
    std::string id, body;
    std::optional<Result> result{};
  };
  using Batch = std::vector<std::shared_ptr<Delivery>>;

  void record_waiting() {
    if (is_recording_ || waiting_.empty()) return;
    is_recording_ = true;
    asio::post(pool_, [this, batch = std::exchange(waiting_, {})] {
      asio::post(io_, [this, batch, results = record_all(batch)] {
        for (std::size_t i = 0; i < batch.size(); ++i) {
          batch[i]->result = results[i];
          batch[i]->limit.cancel();
        }
        is_recording_ = false;
        record_waiting();
      });
    });
  }

  // In the thread of the pool. If the database refuses one of them, each is recorded alone.
  std::vector<Result> record_all(const Batch& batch) {
    std::vector<Result> results(batch.size());
    bool is_refused = false;
    try {
      std::map<std::string, std::string> bodies;
      for (const auto& each : batch) {
        if (!each->id.empty()) bodies.emplace(each->id, each->body);
      }
      std::set<std::string> ids;
      bodies.empty() ? store_->check() : ids.merge(store_->record(bodies));
      for (std::size_t i = 0; i < batch.size(); ++i) results[i].is_new = ids.erase(batch[i]->id) > 0;
    } catch (const std::exception& e) {
      const auto* const error = dynamic_cast<const DatabaseError*>(&e);
      is_refused = error && error->kind != DatabaseError::temporary && batch.size() > 1;
      for (auto& result : results) result.error = std::current_exception();
    }
    for (std::size_t i = 0; is_refused && i < batch.size(); ++i) results[i] = record_all({batch[i]})[0];
    return results;
  }

  asio::io_context& io_;
  const std::unique_ptr<Store> store_;
  bool is_recording_ = false;
  Batch waiting_;
  asio::thread_pool pool_{1};
};
