// SPDX-License-Identifier: MIT
// What a store promises, for each database: with the receiver as a process or, if the receiver's handler will not
// do, with the store itself.
#include "store.hpp"
#include "../catch.hpp"
#include "databases.hpp"
#include "deliveries.hpp"
#include "shared_store.hpp"
#include "stores.hpp"

#include <anthropic/webhooks.hpp>

#include <sched.h>

#include <atomic>
#include <future>
#include <memory>
#include <set>
#include <sstream>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#ifdef PGBOUNCER
#define DATABASES Sqlite, Postgres, PooledPostgres
#elif defined(POSTGRES_BIN)
#define DATABASES Sqlite, Postgres
#else
#define DATABASES Sqlite
#endif

// Replaces the library's own.
static int pretended_version = SQLITE_VERSION_NUMBER;
extern "C" int sqlite3_libversion_number() { return pretended_version; }

namespace {

template <class Database>
fs::path log_in(const Database& database, const std::string& name = "receiver.log") {
  return database.folder.path / name;
}

template <class Database>
std::unique_ptr<Store> open(const Database& database, Purpose purpose) {
  return open_store(database.where(), purpose);
}

template <class Database>
bool all_handled(const Database& database) {
  return database.query("SELECT count(*) FROM webhook_events WHERE handled_at IS NULL") == "0\n";
}

template <class Database>
void try_all_now(const Database& database) {
  database.query("UPDATE webhook_events SET try_at = CURRENT_TIMESTAMP WHERE handled_at IS NULL");
}

/// Puts the calling thread on the first processor, as if the machine were busy. A patient one does not interrupt
/// others when it could go on.
void use_one_processor([[maybe_unused]] bool patient) {
#ifdef __linux__
  cpu_set_t processors;
  CPU_ZERO(&processors);
  sched_getaffinity(0, sizeof processors, &processors);
  std::size_t first = 0;
  while (first < CPU_SETSIZE - 1 && !CPU_ISSET(first, &processors)) ++first;
  CPU_ZERO(&processors);
  CPU_SET(first, &processors);
  sched_setaffinity(0, sizeof processors, &processors);
  const sched_param none{};
  sched_setscheduler(0, patient ? SCHED_BATCH : SCHED_OTHER, &none);
#endif
}

}  // namespace

TEMPLATE_TEST_CASE("a body is recorded exactly as received, and handled once", "", DATABASES) {
  const TestType database;
  Receiver receiver(database.where(), log_in(database));
  const std::string spaced = ' ' + event("whe_1") + "\n";
  CHECK(deliver(receiver.port, event("whe_1")) == 200);
  CHECK(post(receiver.port, spaced, signed_headers(spaced, "whe_2")) == 200);
  CHECK(post(receiver.port, spaced, signed_headers(spaced, "whe_1")) == 200);
  REQUIRE(eventually([&] { return all_handled(database); }));
  const std::string body = "SELECT " + std::string(TestType::body) + " FROM webhook_events WHERE id = ";
  CHECK(database.query(body + "'whe_1'") == event("whe_1") + '\n');
  CHECK(database.query(body + "'whe_2'") == spaced + '\n');
  CHECK(database.query("SELECT count(*) FROM webhook_events") == "2\n");
  CHECK(database.query("SELECT note FROM notes") == "session sesn_1 is idle\nsession sesn_1 is idle\n");
  for (const char* const line : {"recorded whe_1", "duplicate whe_1"}) {
    CHECK(receiver.logs(line));
    CHECK(count(receiver.log(), line) == 1);
  }
}

TEMPLATE_TEST_CASE("a signed body that does not parse is kept with the reason, for a version that parses it", "",
                   DATABASES) {
  const TestType database;
  const std::string bytes("\0\xff{\"", 4), whole = event("whe_3"), cut = whole.substr(0, whole.size() - 1);
  const std::string no_id = R"({"type":"event","created_at":"2026-03-15T10:00:00Z","data":{}})";
  {
    Receiver receiver(database.where(), log_in(database));
    for (const auto& [id, body] : std::map<std::string, std::string>{
             {"whe_1", no_id}, {"whe_2", bytes}, {"whe_3", cut}, {"whe_4", event("whe_4")}, {"whe_5", ""}}) {
      CAPTURE(id);
      CHECK(post(receiver.port, body, signed_headers(body, id)) == 200);
    }
    CHECK(receiver.logs("recorded whe_1 not understood: /id: missing\n"));
    CHECK(receiver.logs("recorded whe_4 session.status_idled\n"));
    REQUIRE(eventually(
        [&] { return database.query("SELECT count(*) FROM webhook_events WHERE reason IS NOT NULL") == "4\n"; }));
    REQUIRE(eventually([&] { return database.query("SELECT event_id FROM notes") == "whe_4\n"; }));
    CHECK(database.query("SELECT reason FROM webhook_events WHERE id = 'whe_1'") == "/id: missing\n");
    const std::string tried = "SELECT count(*) FROM webhook_events WHERE try_at IS NULL AND attempts = ";
    CHECK(database.query(tried + '1') == "4\n");
    CHECK(receiver.logs("not handled: whe_1: /id: missing\n"));
    CHECK_FALSE(handle_next(*open(database, Purpose::handle), write_note));
    const Receiver next(database.where(), log_in(database, "next"));
    CHECK(eventually([&] { return database.query(tried + '2') == "4\n"; }));
    CHECK(
        eventually([&] { return count(receiver.log() + next.log(), "not handled: whe_1: /id: missing\n") == 2; }));
  }

  // That version: one that accepts any body.
  const auto later_version = open(database, Purpose::handle);
  if (GENERATE(false, true)) {
    later_version->retry_unparsable();
  } else {
    try_all_now(database);
  }
  std::map<std::string, std::string> bodies;
  while (handle_next(*later_version, [&](Transaction& db, const std::string& id, const std::string& body) {
    bodies[id] = body;
    note(db, id);
  })) {
  }
  CHECK(bodies ==
        std::map<std::string, std::string>{{"whe_1", no_id}, {"whe_2", bytes}, {"whe_3", cut}, {"whe_5", ""}});
  CHECK(all_handled(database));
  CHECK(database.query("SELECT event_id FROM notes ORDER BY event_id") == "whe_1\nwhe_2\nwhe_3\nwhe_4\nwhe_5\n");
}

TEMPLATE_TEST_CASE("two receivers get the same delivery at the same moment", "", DATABASES) {
  const TestType database;
  Receiver a(database.where(), log_in(database, "a")), b(database.where(), log_in(database, "b"));
  constexpr int events = 50;
  constexpr std::size_t connections = 8;
  std::atomic<int> at_start{0}, good{0};
  in_threads(connections, [&](std::size_t thread) {
    for (int i = 0; i < events; ++i) {
      const std::string body = event("whe_" + std::to_string(i));
      ++at_start;
      while (at_start < (i + 1) * static_cast<int>(connections)) std::this_thread::yield();
      if (deliver(thread % 2 == 0 ? a.port : b.port, body) == 200) ++good;
    }
  });
  CHECK(good == events * static_cast<int>(connections));

  // Once more, in opposite orders, so that each holds the rows that the other waits for.
  in_threads(connections, [&](std::size_t thread) {
    for (int i = 0; i < events; ++i) {
      const std::string body = event("whe_" + std::to_string(events + (thread % 2 == 0 ? i : events - 1 - i)));
      if (deliver(thread % 2 == 0 ? a.port : b.port, body) == 200) ++good;
    }
  });
  CHECK(good == 2 * events * static_cast<int>(connections));
  constexpr std::size_t duplicates = 2 * events * (connections - 1);
  CHECK(eventually([&] { return count(a.log() + b.log(), " duplicate ") == duplicates; }));
  CHECK(eventually([&] { return count(a.log() + b.log(), " recorded ") == 2 * events; }));
  REQUIRE(eventually([&] { return all_handled(database); }));
  CHECK(database.query("SELECT count(*) FROM webhook_events") == "100\n");
  CHECK(database.query("SELECT count(*) FROM notes") == "100\n");
  CHECK(database.query("SELECT count(DISTINCT event_id) FROM notes") == "100\n");
}

TEMPLATE_TEST_CASE("a handler that throws for one event in ten does not hold up the others", "", DATABASES) {
  const TestType database;
  Receiver receiver(database.where(), log_in(database));
  REQUIRE(deliver(receiver.port, event("whe_00")) == 200);
  database.before_insert("notes", "NEW.event_id LIKE '%7'", TestType::failure);
  for (int i = 1; i < 100; ++i) {
    CHECK(deliver(receiver.port, event("whe_" + std::to_string(i / 10) + std::to_string(i % 10))) == 200);
  }
  REQUIRE(eventually([&] { return database.query("SELECT count(*) FROM notes") == "90\n"; }));
  REQUIRE(eventually([&] {
    return database.query("SELECT count(*) FROM webhook_events WHERE reason LIKE '%refused%'") == "10\n";
  }));
  CHECK(database.query("SELECT count(*) FROM webhook_events WHERE handled_at IS NULL AND id LIKE '%7'") == "10\n");
  CHECK(database.query("SELECT count(*) FROM webhook_events WHERE handled_at IS NULL") == "10\n");
  REQUIRE(eventually(
      [&] { return database.query("SELECT min(attempts) FROM webhook_events WHERE id LIKE '%7'") != "1\n"; }));
  database.undo_before_insert("notes");
  REQUIRE(eventually([&] { return all_handled(database); }));
  CHECK(database.query("SELECT count(*) FROM notes") == "100\n");
  CHECK(database.query("SELECT count(DISTINCT event_id) FROM notes") == "100\n");
  CHECK(database.query("SELECT count(*) FROM webhook_events WHERE attempts > 1 AND id LIKE '%7'") == "10\n");
}

TEMPLATE_TEST_CASE("what a handler wrote before it threw is rolled back", "", DATABASES) {
  const TestType database;
  open(database, Purpose::record)->record({{"whe_1", "a"}, {"whe_2", "b"}});
  database.query("UPDATE webhook_events SET attempts = 8");  // so that the pause is long
  const auto store = open(database, Purpose::handle);
  std::set<std::string> called;
  const auto handler = [&](Transaction& db, const std::string& id, const std::string&) {
    called.insert(id);
    note(db, id);
    if (id == "whe_1") throw std::runtime_error("no \xe9 luck");
  };
  CHECK(handle_next(*store, handler));
  CHECK(handle_next(*store, handler));
  CHECK_FALSE(handle_next(*store, handler));
  CHECK(called == std::set<std::string>{"whe_1", "whe_2"});
  CHECK(database.query("SELECT event_id FROM notes") == "whe_2\n");
  CHECK(database.query("SELECT reason FROM webhook_events WHERE handled_at IS NULL") == "no %E9 luck\n");

  // A handler that swallows the error of a statement fails all the same if the database insists.
  try_all_now(database);
  CHECK(handle_next(*store, [](Transaction& db, const std::string& id, const std::string&) {
    note(db, id);
    try {
      db.run("INSERT INTO nowhere VALUES($1)", {id});
    } catch (const std::exception&) {
    }
  }));
  const bool handled = all_handled(database);
  CHECK(handled != TestType::shared);
  CHECK(database.query("SELECT count(*) FROM notes") == (handled ? "2\n" : "1\n"));

  // It reads its own writes.
  try_all_now(database);
  CHECK(handle_next(*store, [](Transaction& db, const std::string& id, const std::string&) {
          note(db, id);
          if (db.run("SELECT event_id, note FROM notes WHERE event_id = $1", {id}) != Values{id, "noted"}) {
            throw std::runtime_error("not there");
          }
        }) != handled);
  CHECK(all_handled(database));
}

TEMPLATE_TEST_CASE("whatever a handler throws, its event is kept with the reason, and the others are handled", "",
                   DATABASES) {
  const TestType database;
  const auto store = open(database, Purpose::handle);
  open(database, Purpose::record)->record({{"whe_1", "a"}, {"whe_2", "b"}, {"whe_3", "c"}});
  database.query("UPDATE webhook_events SET attempts = 8");  // so that the pause is long
  std::map<std::string, std::string> reasons;
  const Handler handler = [](Transaction& db, const std::string& id, const std::string&) {
    note(db, id);
    if (id == "whe_1") throw 42;
    if (id == "whe_2") db.run("INSERT INTO nowhere VALUES($1)", {id});
  };
  for (int i = 0; i < 3; ++i) CHECK(handle_next(*store, handler, &reasons));
  CHECK(reasons.size() == 2);
  CHECK(reasons["whe_1"] == "an exception of an unknown type");
  CHECK(reasons["whe_2"].find("nowhere") != std::string::npos);
  for (const auto& [id, reason] : reasons) {
    CHECK(database.query("SELECT reason FROM webhook_events WHERE id = '" + id + "'") == printable(reason) + '\n');
  }
  CHECK(database.query("SELECT event_id FROM notes") == "whe_3\n");
  CHECK(database.query("SELECT count(*) FROM webhook_events WHERE attempts = 9") == "3\n");
}

TEMPLATE_TEST_CASE("an event that crashes the process costs one crash per attempt, and the others are handled", "",
                   DATABASES) {
  const TestType database;
  constexpr int events = 40;
  std::map<std::string, std::string> bodies;
  for (int i = 0; i < events; ++i) bodies["whe_" + std::to_string(100 + i)] = "a";
  open(database, Purpose::record)->record(bodies);
  const std::string poison = "whe_105";
  const auto others_left = [&] {
    return database.query("SELECT count(*) FROM webhook_events WHERE handled_at IS NULL") != "1\n";
  };
  const auto handle = [&]() noexcept {  // as a receiver that starts
    const auto store = open(database, Purpose::handle);
    const auto handler = [&](Transaction& db, const std::string& id, const std::string&) {
      note(db, id);
      if (id == poison) _exit(1);
    };
    while (others_left()) {
      if (!handle_next(*store, handler)) std::this_thread::sleep_for(20ms);
    }
    _exit(0);
  };
  int crashes = 0;
  while (others_left()) {
    REQUIRE(crashes < 20);
    const pid_t child = fork();
    if (child == 0) handle();
    int status = -1;
    REQUIRE(eventually([&] { return waitpid(child, &status, WNOHANG) == child; }));
    crashes += status != 0;
  }
  CHECK(crashes > 0);
  const std::string of_poison = " FROM webhook_events WHERE id = '" + poison + "'";
  CHECK(database.query("SELECT attempts" + of_poison) == std::to_string(crashes) + '\n');
  CHECK(database.query("SELECT handled_at" + of_poison) == "NULL\n");
  CHECK(database.query("SELECT count(*) FROM webhook_events WHERE attempts > 2 AND handled_at IS NOT NULL") ==
        "0\n");
  CHECK(database.query("SELECT count(DISTINCT event_id) FROM notes") == std::to_string(events - 1) + '\n');
  CHECK(database.query("SELECT count(*) FROM notes") == std::to_string(events - 1) + '\n');

  try_all_now(database);
  CHECK(handle_next(*open(database, Purpose::handle), write_note));
  CHECK(all_handled(database));
}

TEMPLATE_TEST_CASE("a handler's statement gets the values that it refers to, or fails", "", DATABASES) {
  const TestType database;
  open(database, Purpose::record)->record({{"whe_1", "a"}});
  const auto store = open(database, Purpose::handle);
  const auto outcome = [&](const std::string& sql, const Values& values) {
    std::string text;
    database.query("UPDATE webhook_events SET attempts = 0, try_at = received_at, handled_at = NULL");
    CHECK(handle_next(*store, [&](Transaction& db, const std::string&, const std::string&) {
      try {
        for (const auto& value : db.run(sql, values)) text += value + ' ';
      } catch (const std::exception& e) {
        text = "error";
      }
      throw 42;
    }));
    return text;
  };
  const std::string nul("a\0b", 3);
  CHECK(outcome("SELECT CAST($2 AS text), CAST($1 AS text)", {"x", "y"}) == "y x ");
  CHECK(outcome("SELECT CAST($1 AS text), CAST($1 AS text);\n", {"x"}) == "x x ");
  CHECK(outcome("SELECT CAST($1 AS text), CAST($2 AS text)", {"x"}) == "error");
  CHECK(outcome("SELECT 1", {"x"}) == "error");
  CHECK(outcome("SELECT 1; SELECT 2", {}) == "error");
  CHECK(outcome("SELECT length('" + nul + "')", {}) == "error");
  CHECK(outcome("SELECT CAST($1 AS text)", {nul}) == (TestType::shared ? "error" : nul + ' '));
}

TEMPLATE_TEST_CASE("a check tells whether deliveries could be recorded, and leaves nothing behind", "",
                   DATABASES) {
  const TestType database;
  const auto store = open(database, Purpose::record);
  const auto check = [&] { return problem_of([&] { store->check(); }); };
  CHECK(check().empty());
  {
    const typename TestType::Lock lock(database);
    CHECK_FALSE(check().empty());
  }
  CHECK(eventually([&] { return check().empty(); }));
  database.before_insert("webhook_events", "true", TestType::failure);
  CHECK(contains(check(), "refused"));
  database.undo_before_insert("webhook_events");
  CHECK(check().empty());
  const std::string type =
      TestType::shared ? "convert_from(NEW.body, 'UTF8')::json->>'type'" : "json_extract(NEW.body, '$.type')";
  database.before_insert("webhook_events", "NEW.id NOT LIKE 'whe%' OR " + type + " <> 'event'", TestType::failure);
  CHECK(check().empty());  // since it would accept deliveries
  CHECK(database.query("SELECT count(*) FROM webhook_events") == "0\n");
}

TEMPLATE_TEST_CASE("a database that refuses to put events off is refused at start", "", DATABASES) {
  const TestType database;
  open(database, Purpose::record)->record({{"whe_1", "a"}});
  database.query("UPDATE webhook_events SET reason = '', handled_at = CURRENT_TIMESTAMP");
  database.query("CREATE UNIQUE INDEX one_of_each ON webhook_events(reason)");
  CHECK_THROWS_AS(open(database, Purpose::record), DatabaseError);
  database.query("DROP INDEX one_of_each");
  CHECK_NOTHROW(open(database, Purpose::record));
}

TEMPLATE_TEST_CASE("a reason that the database refuses does not hold up other events", "", DATABASES) {
  const TestType database;
  const auto record = open(database, Purpose::record), store = open(database, Purpose::handle);
  record->record({{"bad_1", "a"}, {"bad_2", "a"}});
  database.query("CREATE UNIQUE INDEX one_of_each ON webhook_events(reason)");
  std::map<std::string, std::string> reasons;
  const Handler handler = [](Transaction& db, const std::string& id, const std::string&) {
    if (id != "good") throw std::runtime_error("no luck");
    note(db, id);
  };
  while (reasons.size() < 2) handle_next(*store, handler, &reasons);
  CHECK(contains(reasons["bad_1"] + reasons["bad_2"], "no luck; this is not written: "));
  record->record({{"good", "a"}});
  while (database.query("SELECT count(*) FROM notes") == "0\n") handle_next(*store, handler);
  CHECK(database.query("SELECT event_id FROM notes") == "good\n");
  CHECK(database.query("SELECT count(*) FROM webhook_events WHERE attempts > 0") == "3\n");
}

TEMPLATE_TEST_CASE("/healthz fails while deliveries cannot be recorded", "", DATABASES) {
  const TestType database;
  auto receiver = std::make_unique<Receiver>(database.where(), log_in(database));
  const auto becomes = [&](int status) {
    return eventually([&] {
      const auto answer = httplib::Client("127.0.0.1", receiver->port).Get("/healthz");
      return answer && answer->status == status;
    });
  };
  CHECK(becomes(200));
  SECTION("a trigger or constraint") {
    database.before_insert("webhook_events", "true", TestType::failure);
    CHECK(becomes(503));
    CHECK(deliver(receiver->port, event("whe_1")) == 503);
    database.undo_before_insert("webhook_events");
  }
  SECTION("a full disk") {
    const typename TestType::Full full(database, receiver);
    for (const std::size_t more : {300, 0}) {  // large ones until they no longer fit, and then small ones
      int refused = 0;
      for (int i = 0; i < 20'000 && refused < 20; ++i) {
        refused += deliver(receiver->port, event("whe_" + std::to_string(i) + std::string(more, 'x'))) == 503;
      }
      CHECK(refused == 20);
    }
    CHECK(becomes(503));
  }
  CHECK(becomes(200));
}

TEMPLATE_TEST_CASE("new events and retries take turns", "", DATABASES) {
  const TestType database;
  const auto record = open(database, Purpose::record), store = open(database, Purpose::handle);
  std::map<std::string, std::string> bodies;
  for (int i = 0; i < 20; ++i) bodies["tried_" + std::to_string(i)] = "a";
  record->record(bodies);
  database.query("UPDATE webhook_events SET attempts = 3, try_at = '2000-01-01 00:00:00'");
  std::string order;
  const auto handle = [&] {
    CHECK(handle_next(*store, [&](Transaction&, const std::string& id, const std::string&) { order += id[0]; }));
  };
  for (int i = 0; i < 3; ++i) handle();
  for (int i = 0; i < 5; ++i) record->record({{"new_" + std::to_string(i), "a"}});
  for (int i = 0; i < 14; ++i) handle();
  CHECK(order == "tttntntntntnttttt");
}

TEMPLATE_TEST_CASE("the next of a hundred thousand events is found by an index", "", DATABASES) {
  const TestType database;
  open(database, Purpose::record);
  for (const char* attempts : {"0", "7"}) {
    database.query(
        "INSERT INTO webhook_events(id, body, attempts) WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL"
        " SELECT i + 1 FROM n WHERE i < 100000) SELECT " +
        std::string(attempts) + " || ' ' || i, '', " + attempts + " FROM n");
  }
  const bool analyzed = GENERATE(false, true);
  if (analyzed) database.query("ANALYZE");
  for (const bool new_first : {false, true}) {
    const std::string plan =
        database.plan("SELECT " + next_event(TestType::shared ? postgres_dialect : sqlite_dialect, new_first));
    CAPTURE(plan, analyzed);
    CHECK(count(plan, TestType::shared ? "Index Scan using webhook_events_" : "INDEX webhook_events_") == 3);
    CHECK(count(plan, TestType::shared ? "Scan" : "webhook_events ") == 3);
    for (const char* slow : {"Sort", "TEMP B-TREE"}) CHECK(count(plan, slow) == 0);
    CHECK(count(plan, TestType::shared ? "Index Cond: ((try_at" : "(try_at") == 2);
  }
}

TEMPLATE_TEST_CASE("a clock that was wrong for a while delays no event", "", DATABASES) {
  const TestType database;
  open(database, Purpose::record)->record({{"new", "a"}, {"tried", "a"}, {"waits", "a"}});
  const auto store = open(database, Purpose::handle);
  database.query("UPDATE webhook_events SET received_at = '2035-01-01 00:00:00', try_at = '2035-01-01 00:00:00'");
  database.query(std::string("UPDATE webhook_events SET attempts = 13, try_at = ") +
                 (TestType::shared ? "now() + interval '59 minutes'" : "datetime('now', '59 minutes')") +
                 " WHERE id = 'waits'");
  database.query("UPDATE webhook_events SET attempts = 1 WHERE id = 'tried'");
  while (handle_next(*store, write_note)) continue;
  CHECK(database.query("SELECT event_id FROM notes ORDER BY event_id") == "new\ntried\n");
}

TEMPLATE_TEST_CASE("the backlog counts waiting, failing and unparsable events, and has the age of the oldest", "",
                   DATABASES) {
  const TestType database;
  const auto store = open(database, Purpose::record);
  const auto backlog = [&] {
    const Backlog b = store->backlog();
    return std::vector<long>{b.waiting, b.age, b.failing, b.unparsable};
  };
  CHECK(backlog() == std::vector<long>{0, 0, 0, 0});
  const auto ago = [](const char* minutes) {
    return TestType::shared ? "now() - interval '" + std::string(minutes) + " minutes'"
                            : "datetime('now', '-" + std::string(minutes) + " minutes')";
  };
  store->record({{"new", "a"}, {"tried", "a"}, {"failing", "a"}, {"handled", "a"}, {"unparsable", "a"}});
  database.query("UPDATE webhook_events SET attempts = 4 WHERE id = 'tried'");
  database.query("UPDATE webhook_events SET attempts = 5 WHERE id = 'failing'");
  database.query("UPDATE webhook_events SET attempts = 9, handled_at = CURRENT_TIMESTAMP, received_at = " +
                 ago("300") + " WHERE id = 'handled'");
  database.query("UPDATE webhook_events SET attempts = 9, try_at = NULL, received_at = " + ago("200") +
                 " WHERE id = 'unparsable'");
  CHECK(store->backlog().age < 600);
  for (const char* oldest : {"failing", "new"}) {
    CAPTURE(oldest);
    database.query("UPDATE webhook_events SET received_at = CURRENT_TIMESTAMP WHERE id IN('failing', 'new')");
    database.query("UPDATE webhook_events SET received_at = " + ago("30") + " WHERE id = '" + oldest + '\'');
    const auto found = backlog();
    CHECK(found == std::vector<long>{3, found[1], 1, 1});
    CHECK(found[1] >= 1800);
    CHECK(found[1] < 2400);
  }
  database.query("UPDATE webhook_events SET received_at = '2999-01-01 00:00:00'");
  CHECK(backlog() == std::vector<long>{3, 0, 1, 1});
}

TEMPLATE_TEST_CASE("counting the backlog stops at a hundred thousand of each kind", "", DATABASES) {
  const TestType database;
  const auto store = open(database, Purpose::record);
  for (const char* attempts : {"0", "7"}) {
    database.query(
        "INSERT INTO webhook_events(id, body, attempts) WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL"
        " SELECT i + 1 FROM n WHERE i < 100010) SELECT " +
        std::string(attempts) + " || ' ' || i, '', " + attempts + " FROM n");
  }
  database.query("UPDATE webhook_events SET received_at = '2020-01-01 00:00:00' WHERE id = '0 100010'");
  database.query("UPDATE webhook_events SET try_at = NULL WHERE id = '7 100010'");
  const Backlog backlog = store->backlog();
  CHECK(backlog.waiting == 200'000);
  CHECK(backlog.failing == 100'000);
  CHECK(backlog.unparsable == 1);
  CHECK(backlog.age > 100'000'000);  // of the oldest
}

TEST_CASE("it refuses a database that is temporary or of an unknown kind, and shows no password") {
  const Folder folder;
  const auto current = fs::current_path();
  fs::current_path(folder.path);
  for (const std::string database : {"",
                                     " ",
                                     ":memory:",
                                     "file:secret.db",
                                     "file::memory:?cache=shared",
                                     "mysql://user:secret@localhost/x",
                                     "postgres:secret",
                                     "POSTGRESQL://user:secret@localhost/x",
                                     "sqlite:///secret",
                                     "postgresql://user:secret@[::1",
                                     "postgresql://user:secret@localhost/x?nonsense=secret",
                                     "postgresql://user:sec%ret@localhost/x",
                                     "postgresql://user:a@secret@localhost/x",
                                     "postgresql://user:secret/b@localhost/x",
                                     "postgresql://user:12/secret@localhost/x",
                                     "postgresql://:@secret@localhost/x",
                                     "password=my secret host=x",
                                     "host=localhost passwort=secret",
                                     "password = secret",
                                     "\tsecret=x"}) {
    CAPTURE(database);
    for (const auto purpose : {Purpose::record, Purpose::handle}) {
      try {
        open_store(database, purpose);
        CHECK(database == "password = secret");  // a local server, which is down
      } catch (const std::runtime_error& e) {
        CAPTURE(e.what());
        CHECK(std::string(e.what()).find("secret") == std::string::npos);
        CHECK(std::string(e.what()).size() > 20);
      }
    }
  }
  CHECK(fs::is_empty(folder.path));
  for (const std::string file : {"events.db", "./a=b", "./x:y", "a b"}) {
    CHECK(open_store(file, Purpose::record)->record({{"whe_1", "a"}}).size() == 1);
    CHECK(fs::exists(file));
  }
  fs::current_path(current);
}

TEMPLATE_TEST_CASE("a handler that carries on after its transaction has ended writes nothing", "", DATABASES) {
  const TestType database;
  const auto store = open(database, Purpose::handle);
  open(database, Purpose::record)->record({{"whe_1", "a"}});
  CHECK(handle_next(*store, [&](Transaction& db, const std::string& id, const std::string&) {
    db.run("ROLLBACK");
    for (int i = 0; i < 2; ++i) CHECK(contains(problem_of([&] { note(db, id); }), "the transaction has ended"));
  }));
  CHECK(database.query("SELECT count(*) FROM notes") == "0\n");
  CHECK(contains(database.query("SELECT reason FROM webhook_events"), "the transaction has ended"));
}

TEST_CASE("with SQLite, a handler writes nothing if another process has handled its event") {
  const Sqlite database;
  const auto store = open(database, Purpose::handle), another = open(database, Purpose::handle);
  open(database, Purpose::record)->record({{"whe_1", "a"}});
  std::map<std::string, std::string> reasons;
  CHECK(handle_next(
      *store,
      [&](Transaction& db, const std::string& id, const std::string&) {
        try_all_now(database);
        CHECK(handle_next(*another, write_note));
        note(db, id);
      },
      &reasons));
  CHECK(reasons["whe_1"] == "it is handled already, or gone");
  CHECK(database.query("SELECT count(*) FROM notes") == "1\n");
  CHECK(all_handled(database));
}

TEST_CASE("with SQLite, a handler may try again if its transaction could not begin") {
  const Sqlite database;
  const auto store = open(database, Purpose::handle);
  open(database, Purpose::record)->record({{"whe_1", "a"}});
  CHECK(handle_next(*store, [&](Transaction& db, const std::string& id, const std::string&) {
    {
      const Sqlite::Lock lock(database);
      CHECK(problem_of([&] { note(db, id); }) == "SQLite: database is locked");
    }
    note(db, id);
  }));
  CHECK(database.query("SELECT count(*) FROM notes") == "1\n");
  CHECK(all_handled(database));
}

TEST_CASE("only their owner can read and write the files of SQLite") {
  const Sqlite database;
  const mode_t mask = umask(0);
  const auto store = open(database, Purpose::record);
  CHECK(umask(mask) == 0);
  store->record({{"whe_1", "a"}});
  int files = 0;
  for (const auto& file : fs::directory_iterator(database.folder.path)) {
    CAPTURE(file.path());
    CHECK(fs::status(file.path()).permissions() == (fs::perms::owner_read | fs::perms::owner_write));
    ++files;
  }
  CHECK(files == 3);
}

TEST_CASE("a deleted or replaced file is noticed and reopened") {
  const Sqlite database;
  const auto remove_all = [&] {
    for (const char* end : {"", "-wal", "-shm"}) fs::remove(database.where() + end);
  };
  const auto record = open(database, Purpose::record), handle = open(database, Purpose::handle);
  record->record({{"whe_1", "a"}});
  CHECK(handle_next(*handle, write_note));
  const bool by_handler = GENERATE(false, true);
  std::string expected;
  SECTION("deleted") { remove_all(); }
  SECTION("deleted without its log") { fs::remove(database.where()); }
  SECTION("replaced") {
    const Sqlite other;
    open(other, Purpose::record)->record({{"whe_0", "other"}});
    remove_all();
    fs::rename(other.where(), database.where());
    expected = "whe_0\n";
  }
  if (by_handler) {
    CHECK_THROWS_WITH(handle_next(*handle, write_note), "SQLite: the file was deleted or replaced");
  } else {
    CHECK_THROWS_WITH(record->record({{"whe_2", "b"}}), "SQLite: the file was deleted or replaced");
  }
  CHECK(record->record({{"whe_1", "a"}, {"whe_2", "b"}}).size() == 2);
  while (handle_next(*handle, write_note)) continue;
  CHECK(database.query("SELECT id FROM webhook_events WHERE handled_at IS NOT NULL ORDER BY id") ==
        expected + "whe_1\nwhe_2\n");
  CHECK(database.query("SELECT event_id FROM notes ORDER BY event_id") == expected + "whe_1\nwhe_2\n");
  CHECK(database.query("PRAGMA integrity_check") == "ok\n");
}

namespace {

/// After a file of SQLite was deleted, at most one delivery is refused, and in the end the handler has written the
/// notes.
void check_goes_on(const Receiver& receiver, const Sqlite& database, const std::string& notes) {
  int refused = 0;
  REQUIRE(eventually([&] {
    const int status = deliver(receiver.port, event("whe_2"));
    refused += status == 503;
    return status == 200;
  }));
  CHECK(refused <= 1);  // none if the handler noticed first
  CHECK(receiver.logs("SQLite: the file was deleted or replaced"));
  REQUIRE(eventually([&] { return all_handled(database); }));
  CHECK(database.query("SELECT event_id FROM notes ORDER BY event_id") == notes);
}

}  // namespace

TEST_CASE("if the database is deleted while the receiver runs: 503, and then 200 with a new file") {
  const Sqlite database;
  Receiver receiver(database.where(), log_in(database));
  CHECK(deliver(receiver.port, event("whe_1")) == 200);
  REQUIRE(eventually([&] { return all_handled(database); }));
  for (const char* end : {"", "-wal", "-shm"}) fs::remove(database.where() + end);
  check_goes_on(receiver, database, "whe_2\n");
}

TEST_CASE("a deleted log of SQLite is noticed, and nothing is lost") {
  const Sqlite database;
  const std::string end = GENERATE("-wal", "-shm");
  const bool by_handler = GENERATE(false, true);
  const auto record = open(database, Purpose::record), handle = open(database, Purpose::handle);
  record->record({{"whe_1", "a"}});
  CHECK(handle_next(*handle, write_note));
  record->record({{"whe_2", "b"}});
  fs::remove(database.where() + end);
  const std::string problem = "SQLite: the file was deleted or replaced";
  if (by_handler) {
    CHECK_THROWS_WITH(handle_next(*handle, write_note), problem);
  } else {
    CHECK_THROWS_WITH(record->record({{"whe_3", "c"}}), problem);
  }
  record->record({{"whe_3", "c"}});
  CHECK(record->record({{"whe_1", "a"}, {"whe_2", "b"}, {"whe_3", "c"}}).empty());
  while (handle_next(*handle, write_note)) continue;
  CHECK(database.query("SELECT event_id FROM notes ORDER BY event_id") == "whe_1\nwhe_2\nwhe_3\n");
  CHECK(all_handled(database));
  CHECK(database.query("PRAGMA integrity_check") == "ok\n");
}

TEST_CASE("if the log of SQLite is deleted while the receiver runs: 503, and then 200") {
  const Sqlite database;
  const Receiver receiver(database.where(), log_in(database));
  CHECK(deliver(receiver.port, event("whe_1")) == 200);
  fs::remove(database.where() + "-wal");
  check_goes_on(receiver, database, "whe_1\nwhe_2\n");
}

TEST_CASE("with SQLite, deliveries wait at most a few seconds for a handler that writes") {
  const Sqlite database;
  const auto record = open(database, Purpose::record), handle = open(database, Purpose::handle);
  record->record({{"whe_1", "a"}});
  CHECK(handle_next(*handle, [&](Transaction& db, const std::string& id, const std::string&) {
    note(db, id);
    auto problem = std::async(std::launch::async, [&] {
      return problem_of([&] { record->record({{"whe_2", "b"}}); });
    });
    CHECK(problem.get() == "SQLite: a handler is still writing");
  }));
  CHECK(record->record({{"whe_2", "b"}}).size() == 1);
  CHECK(database.query("SELECT event_id FROM notes") == "whe_1\n");
}

TEST_CASE("with SQLite, a reason that could not be written is written before the next claim") {
  const Sqlite database;
  open(database, Purpose::record)->record({{"whe_1", "a"}});
  const auto handle = open(database, Purpose::handle);
  std::unique_ptr<Sqlite::Lock> lock;
  CHECK(handle_next(*handle, [&](Transaction&, const std::string&, const std::string&) {
    lock = std::make_unique<Sqlite::Lock>(database);
    throw std::runtime_error("no luck");
  }));
  CHECK_THROWS_WITH(handle_next(*handle, write_note), "SQLite: database is locked");
  lock.reset();
  CHECK(database.query("SELECT reason FROM webhook_events") == "NULL\n");
  handle_next(*handle, write_note);
  CHECK(database.query("SELECT reason FROM webhook_events") == "no luck\n");
}

TEST_CASE("with SQLite, deliveries get their turn between handlers that follow each other at once") {
  const Sqlite database;
  const auto record = open(database, Purpose::record), handle = open(database, Purpose::handle);
  std::map<std::string, std::string> bodies;
  for (int i = 0; i < 300; ++i) bodies["whe_" + std::to_string(i)] = "a";
  record->record(bodies);
  std::promise<void> started;
  std::atomic<int> calls{0};
  std::atomic<bool> is_recorded{false};
  std::thread handling([&] {
    use_one_processor(false);
    const Handler slow = [&](Transaction& db, const std::string& id, const std::string&) {
      note(db, id);
      if (++calls == 1) started.set_value();
      std::this_thread::sleep_for(20ms);
    };
    while (!is_recorded && handle_next(*handle, slow)) {
    }
  });
  started.get_future().wait();
  auto problem = std::async(std::launch::async, [&] {
    use_one_processor(true);
    return problem_of([&] {
      for (int i = 0; i < 5; ++i) record->record({{"new_" + std::to_string(i), "a"}});
    });
  });
  CHECK(problem.get().empty());
  is_recorded = true;
  handling.join();
}

TEST_CASE("with SQLite, a log that has grown is truncated") {
  const Sqlite database;
  const auto record = open(database, Purpose::record);
  const auto log_size = [&] { return fs::file_size(database.where() + "-wal"); };
  sqlite3* shell = nullptr;
  sqlite3_open(database.where().c_str(), &shell);
  sqlite3_exec(shell, "BEGIN; SELECT count(*) FROM webhook_events", nullptr, nullptr, nullptr);
  for (int i = 0; i < 50; ++i) record->record({{"whe_" + std::to_string(i), std::string(1 << 20, 'x')}});
  CHECK(log_size() > 50 << 20);
  sqlite3_close(shell);
  for (int i = 0; i < 3; ++i) record->record({{"new_" + std::to_string(i), "a"}});
  CHECK(log_size() <= 16 << 20);
}

TEST_CASE("a file that is locked when the receiver starts is not an error") {
  const Sqlite database;
  open(database, Purpose::record);
  database.query("PRAGMA journal_mode = DELETE");
  std::unique_ptr<Store> store;
  {
    const Sqlite::Lock lock(database);
    store = open(database, Purpose::record);
    CHECK_THROWS_AS(store->record({{"whe_1", "a"}}), std::runtime_error);
  }
  CHECK(store->record({{"whe_1", "a"}}).size() == 1);
}

TEST_CASE("a file system without shared memory, such as a network file system, is refused") {
  const Sqlite database;
  sqlite3_vfs* const usual = sqlite3_vfs_find(nullptr);
  sqlite3_vfs_register(sqlite3_vfs_find("unix-dotfile"), 1);
  CHECK(contains(problem_of([&] { open(database, Purpose::record); }), "network file system"));
  sqlite3_vfs_register(usual, 1);
  CHECK_NOTHROW(open(database, Purpose::record));
}

TEST_CASE("an SQLite that is too old is refused at start") {
  const Sqlite database;
  pretended_version = 3034001;
  CHECK(contains(problem_of([&] { open(database, Purpose::record); }), "3.35 or newer is needed"));
  pretended_version = SQLITE_VERSION_NUMBER;
  CHECK_NOTHROW(open(database, Purpose::record));
}

TEMPLATE_TEST_CASE("the pause between attempts grows to an hour", "", DATABASES) {
  const TestType database;
  open(database, Purpose::record)->record({{"whe_1", "a"}});
  const auto store = open(database, Purpose::handle);
  const auto seconds = [&] {
    return std::stol(database.query(
        TestType::shared ? "SELECT round(extract(epoch FROM try_at - now())) FROM webhook_events"
                         : "SELECT strftime('%s', try_at) - strftime('%s', 'now') FROM webhook_events"));
  };
  for (const int pause : {1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 3600, 3600}) {
    CHECK(handle_next(*store, [](Transaction&, const std::string&, const std::string&) {
      throw std::runtime_error("no luck");
    }));
    CHECK(seconds() <= pause);
    CHECK(seconds() > pause - 60);  // for a slow machine
    if (pause >= 1024) CHECK(seconds() > pause / 2);
    try_all_now(database);
  }
}

TEMPLATE_TEST_CASE("a handler that is slow before it writes does not hold up recording", "", DATABASES) {
  const TestType database;
  const auto handle = open(database, Purpose::handle), record = open(database, Purpose::record);
  record->record({{"whe_1", "a"}});
  std::promise<void> started, recorded;
  auto was_recorded = recorded.get_future();
  std::thread slow([&] {
    handle_next(*handle, [&](Transaction& db, const std::string& id, const std::string&) {
      started.set_value();
      if (was_recorded.wait_for(1min) != std::future_status::ready) throw std::runtime_error("held up");
      note(db, id);
    });
  });
  started.get_future().wait();
  CHECK(problem_of([&] {
          CHECK(record->record({{"whe_2", "b"}, {"whe_1", "a"}}) == std::set<std::string>{"whe_2"});
        }).empty());
  recorded.set_value();
  slow.join();
  CHECK(database.query("SELECT id FROM webhook_events WHERE handled_at IS NOT NULL") == "whe_1\n");
}

TEMPLATE_TEST_CASE("an event that two processes handle at the same time is handled once", "", DATABASES) {
  const TestType database;
  open(database, Purpose::record)->record({{"whe_1", "a"}});
  // Like two processes: each store has its own connection.
  const auto a = open(database, Purpose::handle), b = open(database, Purpose::handle);
  std::atomic<int> calls{0};
  CHECK(handle_next(*a, [&](Transaction& db, const std::string& id, const std::string&) {
    ++calls;
    handle_next(*b, [&](Transaction& other, const std::string& other_id, const std::string&) {
      ++calls;
      note(other, other_id);
    });
    note(db, id);
  }));
  if (TestType::shared) CHECK(calls == 1);  // by a lock, which SQLite does not have
  CHECK(all_handled(database));
  CHECK(database.query("SELECT event_id FROM notes") == "whe_1\n");
}

TEMPLATE_TEST_CASE("while another process locks the table, the service is told to send again", "", DATABASES) {
  const TestType database;
  Receiver receiver(database.where(), log_in(database));
  CHECK(deliver(receiver.port, event("whe_1")) == 200);
  REQUIRE(eventually([&] { return all_handled(database); }));
  {
    const typename TestType::Lock lock(database);
    CHECK(deliver(receiver.port, event("whe_2")) == 503);
    CHECK(receiver.logs("not recorded: "));
  }
  REQUIRE(eventually([&] { return deliver(receiver.port, event("whe_2")) == 200; }));
  CHECK(deliver(receiver.port, event("whe_3")) == 200);
  REQUIRE(eventually([&] { return all_handled(database); }));
  CHECK(database.query("SELECT event_id FROM notes ORDER BY event_id") == "whe_1\nwhe_2\nwhe_3\n");
}

TEMPLATE_TEST_CASE("while the database is full, the service is told to send again", "", DATABASES) {
  const TestType database;
  std::unique_ptr<Receiver> receiver = std::make_unique<Receiver>(database.where(), log_in(database));
  REQUIRE(deliver(receiver->port, event("whe_0")) == 200);
  REQUIRE(eventually([&] { return all_handled(database); }));
  int refused = 0;
  std::set<std::string> accepted{"whe_0"};
  {
    const typename TestType::Full full(database, receiver);
    for (int i = 1; i < 40 && refused < 3; ++i) {
      const std::string id = "whe_" + std::to_string(i);
      std::string body(400'000, ' ');
      for (std::size_t at = 0; at < body.size(); ++at)
        body[at] = static_cast<char>(static_cast<std::size_t>(i) * 7919 + at * at % 8191);
      const int status = post(receiver->port, body, signed_headers(body, id));
      CHECK((status == 200 || status == 503));
      if (status == 200) accepted.insert(id);
      refused += status == 503;
    }
    CHECK(refused == 3);
  }
  REQUIRE(eventually([&] { return deliver(receiver->port, event("whe_x")) == 200; }));
  accepted.insert("whe_x");
  std::set<std::string> recorded;
  std::istringstream rows(database.query("SELECT id FROM webhook_events"));
  for (std::string id; std::getline(rows, id);) recorded.insert(id);
  for (const auto& id : accepted) CHECK(recorded.count(id) == 1);
  REQUIRE(eventually([&] { return database.query("SELECT count(*) FROM notes") == "2\n"; }));
}

TEST_CASE("kill -9 in the middle of 3000 deliveries loses none and repeats none - Sqlite") {
  const Sqlite database;
  constexpr std::size_t deliveries = 3000;
  const auto name = [](std::size_t i) { return "whe_" + std::to_string(10000 + i); };
  std::vector<std::atomic<int>> acknowledged(deliveries);
  std::size_t before_kill = 0, handled = 0, recovered = 0, repeated = 0;
  const auto start = std::chrono::steady_clock::now();

  for (const std::size_t kill_at : {800u, 1600u, 2400u, 0u}) {
    Receiver receiver(database.where(), log_in(database));
    std::atomic<std::size_t> next{0}, done{0};
    for (const auto& a : acknowledged) done += a == 1;
    std::atomic<bool> killed{false};
    in_threads(6, [&](std::size_t) {
      for (std::size_t i = next++; i < deliveries && !killed; i = next++) {
        if (acknowledged[i] == 1) continue;
        if (deliver(receiver.port, event(name(i))) != 200) continue;
        acknowledged[i] = 1;
        if (++done == kill_at) {
          receiver.signal(SIGKILL);
          killed = true;
        }
      }
    });
    if (kill_at == 0) {
      for (std::size_t i = 0; i < deliveries; i += 10) repeated += deliver(receiver.port, event(name(i))) == 200;
      REQUIRE(eventually([&] { return all_handled(database); }));
      receiver.signal(SIGTERM);
      REQUIRE(receiver.wait() == 0);
      repeated += count(receiver.log(), " duplicate ") - deliveries / 10;
    } else {
      REQUIRE(receiver.wait() == -SIGKILL);
      before_kill = done;
      repeated += count(receiver.log(), " duplicate ");
      recovered += std::stoul(database.query("SELECT count(*) FROM webhook_events WHERE handled_at IS NULL"));
      handled = std::stoul(database.query("SELECT count(*) FROM notes"));
      std::set<std::string> recorded;
      std::istringstream rows(database.query("SELECT id FROM webhook_events"));
      for (std::string id; std::getline(rows, id);) recorded.insert(id);
      for (std::size_t i = 0; i < deliveries; ++i) {
        if (acknowledged[i] == 1 && recorded.count(name(i)) == 0) FAIL(name(i) << " was acknowledged and is lost");
      }
    }
  }

  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  std::cout << deliveries << " deliveries on 6 connections, 3 times kill -9: at the last, " << before_kill
            << " were acknowledged and " << handled << " handled; " << recovered
            << " were left for the next start to handle, " << repeated << " duplicates; in " << took.count()
            << " s" << std::endl;
  for (const auto& a : acknowledged) CHECK(a == 1);
  CHECK(database.query("SELECT count(*) FROM webhook_events") == "3000\n");
  CHECK(database.query("SELECT count(*) FROM notes") == "3000\n");
  CHECK(database.query("SELECT count(DISTINCT event_id) FROM notes") == "3000\n");
  CHECK(database.query("PRAGMA integrity_check") == "ok\n");
}
