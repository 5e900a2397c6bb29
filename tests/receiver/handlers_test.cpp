// SPDX-License-Identifier: MIT
// The threads that handle, with a handler of the test's own.
#include "../catch.hpp"
#include "databases.hpp"
#include "stores.hpp"
#include "threads.hpp"

#include <atomic>
#include <string>
#include <thread>

TEST_CASE("with SQLite, a handler that is slow before its first run() is called once for each event") {
  const Sqlite database;
  open_store(database.where(), Purpose::record)->record({{"whe_1", "a"}, {"whe_2", "b"}});
  std::atomic<int> calls{0};
  Handlers handlers(database.where(), [&](Transaction& db, const std::string& id, const std::string&) {
    ++calls;
    std::this_thread::sleep_for(2500ms);  // the next attempt would be due after one second
    note(db, id);
  });
  handlers.start();
  REQUIRE(eventually([&] { return database.query("SELECT count(handled_at) FROM webhook_events") == "2\n"; }));
  CHECK(calls == 2);
  CHECK(database.query("SELECT event_id FROM notes ORDER BY event_id") == "whe_1\nwhe_2\n");
}
