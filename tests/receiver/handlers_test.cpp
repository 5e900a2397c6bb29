// SPDX-License-Identifier: MIT
// The threads that record and handle, with the test's own handler.
#include "handlers.hpp"
#include "../catch.hpp"
#include "databases.hpp"
#include "deliveries.hpp"
#include "recorder.hpp"
#include "stores.hpp"

#include <boost/asio/use_future.hpp>

#include <atomic>
#include <cstdlib>
#include <future>
#include <string>
#include <thread>

#ifdef POSTGRES_BIN
#define STORES Sqlite, Postgres
#else
#define STORES Sqlite
#endif

namespace {

template <class Database>
bool all_handled(const Database& database) {
  return database.query("SELECT count(*) FROM webhook_events WHERE handled_at IS NULL") == "0\n";
}

const char* const endless =
    "(WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n)";

/// Handlers, with the thread of a server.
class Running {
 public:
  Running(const std::string& database, Handler handler) : handlers(io_, database, std::move(handler), 300s, 1h) {
    handlers.start();
    thread_ = std::thread([this] { io_.run(); });
  }
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;
  ~Running() { stop(); }

  void stop() {
    if (!thread_.joinable()) return;
    asio::post(io_, [this] { handlers.stop(); });
    thread_.join();
  }
  void wake() {
    asio::post(io_, [this] { handlers.wake(); });
  }
  Backlog backlog() { return asio::co_spawn(io_, handlers.backlog(), asio::use_future).get(); }

 private:
  asio::io_context io_{1};

 public:
  Handlers handlers;

 private:
  std::thread thread_;
};

}  // namespace

TEST_CASE("with SQLite, a handler that is slow before its first run() is called once for each event") {
  const Sqlite database;
  open_store(database.where(), Purpose::record)->record({{"whe_1", "a"}, {"whe_2", "b"}});
  std::atomic<int> calls{0};
  Running running(database.where(), [&](Transaction& db, const std::string& id, const std::string&) {
    ++calls;
    std::this_thread::sleep_for(2500ms);  // the next attempt would be due after one second
    note(db, id);
  });
  REQUIRE(eventually([&] { return database.query("SELECT count(handled_at) FROM webhook_events") == "2\n"; }));
  running.stop();
  CHECK(calls == 2);
  CHECK(running.handlers.handled == 2);
  CHECK(database.query("SELECT event_id FROM notes ORDER BY event_id") == "whe_1\nwhe_2\n");
}

#ifdef POSTGRES_BIN
TEST_CASE("an event is given up even while a statement of its handler runs") {
  const Postgres database;
  open_store(database.where(), Purpose::record)->record({{"whe_1", "a"}});
  const auto store = open_store(database.where(), Purpose::handle);
  std::thread giving_up;
  const auto attempt = store->handle_next([&](Transaction& db, const std::string& id, const std::string&) {
    db.run("SET LOCAL statement_timeout = 0");
    giving_up = std::thread([&, id] {
      const char* const running = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep%'";
      if (eventually([&] { return database.query(running) == "1\n"; })) store->give_up(id);
    });
    db.run("SELECT pg_sleep(3600)");
  });
  giving_up.join();
  REQUIRE(attempt);
  CHECK_FALSE(attempt->is_handled);
  CHECK(database.query("SELECT reason FROM webhook_events") == "its handler did not finish\n");
}

TEST_CASE("each attempt that is counted calls the handler, with any number of threads") {
  const Postgres database;
  open_store(database.where(), Purpose::record)->check();  // makes the tables
  constexpr int events = 500;
  database.query("INSERT INTO webhook_events(id, body) SELECT i::text, 'a' FROM generate_series(1, " +
                 std::to_string(events) + ") AS i");
  database.query("UPDATE webhook_events SET attempts = 8");  // so that the pause is long
  std::atomic<int> calls{0};
  const Running running(database.where(), [&](Transaction& db, const std::string& id, const std::string&) {
    ++calls;
    note(db, id);
  });
  REQUIRE(eventually([&] { return calls >= events; }));
  CHECK(eventually([&] { return all_handled(database); }));
  CHECK(calls == events);
  CHECK(database.query("SELECT sum(attempts) FROM webhook_events") == std::to_string(9 * events) + '\n');
}

TEST_CASE("while one handler hangs, others carry on") {
  const Postgres database;
  open_store(database.where(), Purpose::record)->record({{"hangs", "a"}});
  std::promise<void> called, end;
  Running running(database.where(), [&](Transaction& db, const std::string& id, const std::string&) {
    if (id == "hangs") called.set_value();
    if (id == "hangs") end.get_future().wait();
    note(db, id);
  });
  called.get_future().wait();
  open_store(database.where(), Purpose::record)->record({{"other", "a"}});
  CHECK(eventually([&] { return database.query("SELECT event_id FROM notes") == "other\n"; }));
  end.set_value();
}
#endif

// It needs a process of its own. A mere fork() would not do: other threads may hold locks at that moment.
const char* const hanging = "hangs until its process ends";
TEST_CASE(hanging, "[.][own process]") {
  const std::string how = std::getenv("HOW");
  const Handler handler = [&](Transaction& db, const std::string& id, const std::string&) {
    if (contains(how, "writes")) note(db, id);
    std::promise<void>().get_future().wait();
  };
  asio::io_context io(1);
  Handlers handlers(io, std::getenv("DATABASE"), handler, 1s, 1s);
  asio::signal_set stop(io, SIGTERM);
  stop.async_wait([&](const beast::error_code&, int) {
    if (!contains(how, "waits for others")) handlers.stop();
  });
  handlers.start();
  io.run();
  handlers.exit_if_hung();
  std::_Exit(0);
}

TEMPLATE_TEST_CASE("a handler that hangs ends the process", "", STORES) {
  const TestType database;
  open_store(database.where(), Purpose::record)->record({{"hangs", "a"}});
  const std::string writes = GENERATE(as<std::string>(), "", "writes ");
  // As if others never finished. With PostgreSQL other threads of this process would take the event.
  const std::string waits = TestType::shared ? "" : GENERATE(as<std::string>(), "", "waits for others");
  Process process("",
                  {"/usr/bin/env", "DATABASE=" + database.where(), "HOW=" + writes + waits, THIS_TEST, hanging},
                  database.folder.path / "log");
  CHECK(process.wait() == 3);
  CHECK(database.query("SELECT attempts || reason FROM webhook_events WHERE handled_at IS NULL") ==
        "1its handler did not finish\n");
  CHECK(database.query("SELECT count(*) FROM notes") == "0\n");
}

TEMPLATE_TEST_CASE("a handler that was given up writes nothing more, and its event waits for its pause", "",
                   STORES) {
  const TestType database;
  open_store(database.where(), Purpose::record)->record({{"whe_1", "a"}});
  database.query("UPDATE webhook_events SET attempts = 8");  // so that the pause is long
  const auto store = open_store(database.where(), Purpose::handle);
  const bool writes = GENERATE(false, true);
  std::string before, after;
  const auto attempt = store->handle_next([&](Transaction& db, const std::string& id, const std::string&) {
    if (writes) note(db, id);
    before = database.query("SELECT try_at FROM webhook_events");
    std::this_thread::sleep_for(1100ms);  // SQLite has no fractions
    std::thread([&] { store->give_up(id); }).join();
    after = database.query("SELECT try_at FROM webhook_events");
    try {
      note(db, id);
    } catch (const std::exception&) {
    }
  });
  REQUIRE(attempt);
  CHECK_FALSE(attempt->is_handled);
  CHECK(after > before);
  CHECK(database.query("SELECT count(*) FROM notes") == "0\n");
  CHECK(database.query("SELECT attempts FROM webhook_events WHERE handled_at IS NULL") == "9\n");
  CHECK_FALSE(store->handle_next(write_note));
}

TEMPLATE_TEST_CASE("an event whose handler has ended is not given up", "", STORES) {
  const TestType database;
  open_store(database.where(), Purpose::record)->record({{"whe_1", "a"}});
  const auto store = open_store(database.where(), Purpose::handle);
  CHECK(store->handle_next(write_note)->is_handled);
  CHECK(contains(problem_of([&] { store->give_up("whe_1"); }), "its handler has ended"));
}

TEST_CASE("a receiver with a hanging handler says so and exits with 3, and the next one carries on") {
  const Sqlite database;
  open_store(database.where(), Purpose::record)->record({{"whe_1", event("whe_1")}});
  database.before_insert("notes", "NEW.event_id = 'whe_1'", endless);
  {
    Receiver receiver(database.where(), database.folder.path / "log", {test_secret, {"--handler-limit", "4"}});
    if (GENERATE(false, true)) {  // even when it is told to stop
      REQUIRE(eventually([&] { return database.query("SELECT attempts FROM webhook_events") == "1\n"; }));
      receiver.signal(SIGTERM);
    }
    CHECK(receiver.wait() == 3);
    CHECK(count(receiver.log(), "the handler of whe_1 has been running for ") == 2);
    CHECK(count(receiver.log(), " s: the receiver stops\n") == 1);
    CHECK(count(receiver.log(), "running for 0 s") == 0);
    CHECK(count(receiver.log(), " put off: whe_1\n") == 1);
  }
  CHECK(database.query("SELECT attempts FROM webhook_events WHERE handled_at IS NULL AND reason IS NOT NULL") ==
        "1\n");
  CHECK(database.query("SELECT count(*) FROM notes") == "0\n");
  database.undo_before_insert("notes");
  Receiver receiver(database.where(), database.folder.path / "log");
  CHECK(eventually([&] { return all_handled(database); }));
  receiver.signal(SIGTERM);
  CHECK(receiver.wait() == 0);
}

TEST_CASE("a receiver that is told to stop says which handlers it waits for") {
  const Sqlite database;
  open_store(database.where(), Purpose::record)->record({{"whe_1", event("whe_1")}});
  database.before_insert("notes", "true", endless);
  const Receiver receiver(database.where(), database.folder.path / "log",
                          {test_secret, {"--handler-limit", "25"}});
  REQUIRE(receiver.logs(" the handler of whe_1 has been running for "));
  receiver.signal(SIGTERM);
  CHECK(receiver.logs(" waiting for the handler of whe_1\n"));
}

TEST_CASE("a handler that hangs does not cut the grace period short") {
  const Sqlite database;
  open_store(database.where(), Purpose::record)->record({{"whe_1", event("whe_1")}});
  database.before_insert("notes", "true", endless);
  const std::vector<std::string> more{"--grace", "3600", "--handler-limit", "20"};
  const Receiver receiver(database.where(), database.folder.path / "log", {test_secret, more});
  REQUIRE(receiver.logs(" the handler of whe_1 has been running for "));
  receiver.signal(SIGTERM);
  REQUIRE(receiver.logs(" told to stop\n"));
  REQUIRE(receiver.logs(": the receiver stops\n"));
  std::this_thread::sleep_for(1s);
  CHECK(post(receiver.port, "forged", {}) == 401);
}

TEMPLATE_TEST_CASE("a delivery that the database refuses does not affect others", "", STORES) {
  const TestType database;
  asio::io_context io(1);
  Recorder recorder(io, database.where());
  database.before_insert("webhook_events", "NEW.id LIKE 'bad%'", TestType::failure);
  std::map<std::string, std::string> results;
  const auto record = [&](std::string id) -> asio::awaitable<void> {
    try {
      results[id] = co_await recorder.record(id, "a") ? "new" : "duplicate";
    } catch (const std::exception& e) {
      results[id] = e.what();
    }
  };
  // The first is recorded at once, and those that arrive meanwhile as one batch.
  for (const char* id : {"1", "2", "bad_1", "3", "2", "bad_2", "4", ""}) {
    asio::co_spawn(io, record(id), asio::detached);
  }
  io.run();
  CHECK(results[""] == "duplicate");
  for (const char* id : {"1", "3", "4"}) CHECK(results[id] == "new");
  CHECK(results["2"] == "duplicate");
  for (const char* id : {"bad_1", "bad_2"}) CHECK(contains(results[id], "refused"));
  CHECK(database.query("SELECT id FROM webhook_events ORDER BY id") == "1\n2\n3\n4\n");
}

TEMPLATE_TEST_CASE("a handler that is slow while it writes makes no delivery fail", "", STORES) {
  const TestType database;
  asio::io_context io(1);
  Recorder recorder(io, database.where());
  Running running(database.where(), [](Transaction& db, const std::string& id, const std::string&) {
    note(db, id);
    std::this_thread::sleep_for(300ms);
  });
  std::string problems;
  const auto record = [&](std::string thread) -> asio::awaitable<void> {
    for (int i = 0; i < 5; ++i) {
      try {
        co_await recorder.record(thread + std::to_string(i), "a");
      } catch (const std::exception& e) {
        problems += e.what();
      }
      running.wake();
    }
  };
  for (const char* thread : {"a", "b", "c", "d"}) asio::co_spawn(io, record(thread), asio::detached);
  io.run();
  CHECK(problems.empty());
  REQUIRE(eventually([&] { return all_handled(database); }));
  CHECK(database.query("SELECT count(DISTINCT event_id) FROM notes") == "20\n");
}

TEMPLATE_TEST_CASE("the backlog is counted while all handlers hang", "", STORES) {
  const TestType database;
  std::map<std::string, std::string> bodies;
  for (int i = 0; i < 9; ++i) bodies[std::to_string(i)] = "a";
  open_store(database.where(), Purpose::record)->record(bodies);
  std::promise<void> end;
  const auto ended = end.get_future().share();
  std::atomic<std::size_t> calls{0};
  Running running(database.where(), [&](Transaction&, const std::string&, const std::string&) {
    ++calls;
    ended.wait();
  });
  const std::size_t threads = TestType::shared ? 8 : 1;
  CHECK(eventually([&] { return calls == threads; }));
  CHECK(running.backlog().waiting == 9);
  end.set_value();
  CHECK(eventually([&] { return all_handled(database); }));
}
