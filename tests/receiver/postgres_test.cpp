// SPDX-License-Identifier: MIT
// Several receivers that share a PostgreSQL, which the tests start, stop and disturb.
#include "../catch.hpp"
#include "databases.hpp"
#include "deliveries.hpp"
#include "stores.hpp"

#include <netinet/in.h>

#include <array>
#include <atomic>
#include <chrono>
#include <future>
#include <iostream>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <set>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#ifdef PGBOUNCER
#define TEST_DATABASES Postgres, PooledPostgres
#else
#define TEST_DATABASES Postgres
#endif

namespace {

bool all_handled(const Postgres& database) {
  return database.query("SELECT count(*) FROM webhook_events WHERE handled_at IS NULL") == "0\n";
}

/// Blocks a handler in the middle of its transaction, when it makes this change, until this is destroyed.
class Obstacle {
 public:
  Obstacle(const Postgres& database, const std::string& change, const std::string& condition)
      : database_(database), connection_(PQconnectdb(database.where().c_str()), PQfinish) {
    PQclear(PQexec(connection_.get(), "SELECT pg_advisory_lock(1)"));
    database.trigger("obstacle", change, condition, "pg_advisory_xact_lock_shared(1)");
  }
  Obstacle(const Obstacle&) = delete;
  Obstacle& operator=(const Obstacle&) = delete;
  ~Obstacle() { connection_.reset(); }

  /// The number of waiting handlers.
  [[nodiscard]] std::string waiting() const {
    return database_.query(
        "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND"
        " database = (SELECT oid FROM pg_database WHERE datname = current_database())");
  }

 private:
  const Postgres& database_;
  std::unique_ptr<PGconn, void (*)(PGconn*)> connection_;
};

}  // namespace

TEST_CASE("a hanging handler holds up its event, but no others", "[postgres]") {
  const Postgres database;
  Receiver receiver(database.where(), database.folder.path / "log");
  REQUIRE(deliver(receiver.port, event("whe_0")) == 200);
  REQUIRE(eventually([&] { return all_handled(database); }));
  {
    const Obstacle obstacle(database, "BEFORE INSERT ON notes FOR EACH ROW", "NEW.event_id = 'whe_1'");
    CHECK(deliver(receiver.port, event("whe_1")) == 200);
    REQUIRE(eventually([&] { return obstacle.waiting() == "1\n"; }));
    for (int i = 2; i < 20; ++i) CHECK(deliver(receiver.port, event("whe_" + std::to_string(i))) == 200);
    REQUIRE(eventually([&] { return database.query("SELECT count(*) FROM notes") == "19\n"; }));
    CHECK(obstacle.waiting() == "1\n");
  }
  REQUIRE(eventually([&] { return all_handled(database); }));
  CHECK(database.query("SELECT count(*) FROM notes") == "20\n");
}

TEST_CASE("a receiver that dies while handling leaves its event to the others", "[postgres]") {
  const Postgres database;
  Receiver a(database.where(), database.folder.path / "a");
  REQUIRE(deliver(a.port, event("whe_0")) == 200);
  REQUIRE(eventually([&] { return all_handled(database); }));
  std::unique_ptr<Receiver> b;
  {
    const Obstacle obstacle(database, "BEFORE INSERT ON notes FOR EACH ROW", "NEW.event_id = 'whe_1'");
    CHECK(deliver(a.port, event("whe_1")) == 200);
    REQUIRE(eventually([&] { return obstacle.waiting() == "1\n"; }));
    b = std::make_unique<Receiver>(database.where(), database.folder.path / "b");
    CHECK(deliver(b->port, event("whe_2")) == 200);
    REQUIRE(eventually([&] { return database.query("SELECT count(*) FROM notes") == "2\n"; }));
    CHECK(obstacle.waiting() == "1\n");
    a.signal(SIGKILL);
    REQUIRE(a.wait() == -SIGKILL);
    CHECK(database.query("SELECT count(handled_at) FROM webhook_events") == "2\n");
  }
  REQUIRE(eventually([&] { return all_handled(database); }));
  CHECK(database.query("SELECT event_id FROM notes ORDER BY event_id") == "whe_0\nwhe_1\nwhe_2\n");
}

TEST_CASE("handling an event makes no multixact, which would slow down each later claim", "[postgres]") {
  const Postgres database;
  open_store(database.where(), Purpose::record)->record({{"whe_1", "a"}, {"whe_2", "b"}});
  const std::string next_multixact = "SELECT mxid_age('1'::xid)";
  const std::string before = database.query(next_multixact);
  const auto store = open_store(database.where(), Purpose::handle);
  CHECK(store->handle_next(write_note)->is_handled);
  CHECK_FALSE(store
                  ->handle_next([](Transaction& db, const std::string& id, const std::string&) {
                    note(db, id);
                    throw std::runtime_error("no luck");
                  })
                  ->is_handled);
  CHECK(database.query(next_multixact) == before);
}

TEST_CASE("others do not take an event between its failure and its pause", "[postgres]") {
  const Postgres database;
  open_store(database.where(), Purpose::record)->record({{"whe_1", "a"}});
  const auto others = open_store(database.where(), Purpose::handle);
  // For the statement, since a trigger for the row would lock it while it waits.
  auto pause = std::make_unique<Obstacle>(database, "BEFORE UPDATE ON webhook_events FOR EACH STATEMENT",
                                          "current_query() LIKE '% reason = %'");
  auto failing = std::async(std::launch::async, [&] {
    return open_store(database.where(), Purpose::handle)
        ->handle_next([&](Transaction& db, const std::string& id, const std::string&) {
          note(db, id);
          const bool due = eventually([&] {
            return database.query("SELECT count(*) FROM webhook_events WHERE try_at < clock_timestamp()") == "1\n";
          });
          throw std::runtime_error(due ? "no luck" : "not due");
        });
  });
  CHECK(eventually([&] { return pause->waiting() == "1\n"; }));
  CHECK_FALSE(others->handle_next(write_note));
  pause.reset();
  CHECK(failing.get()->reason == "no luck");
  CHECK(database.query("SELECT attempts FROM webhook_events WHERE try_at > now() - interval '1 minute'") == "1\n");
  CHECK(database.query("SELECT reason FROM webhook_events") == "no luck\n");
  CHECK(database.query("SELECT count(*) FROM notes") == "0\n");
}

TEST_CASE("if an event cannot be marked as handled, its handler's changes are rolled back", "[postgres]") {
  const Postgres database;
  open_store(database.where(), Purpose::record)->record({{"whe_1", "a"}});
  const auto store = open_store(database.where(), Purpose::handle);
  const auto [trigger, action, reason] = GENERATE(table<std::string, std::string, std::string>(
      {{"TRIGGER fail_mark BEFORE UPDATE ON webhook_events", "RAISE 'refused'", "refused"},
       {"TRIGGER fail_mark BEFORE UPDATE ON webhook_events", "RETURN NULL", "handled already, or gone"},
       {"CONSTRAINT TRIGGER fail_mark AFTER UPDATE ON webhook_events DEFERRABLE INITIALLY DEFERRED",
        "RAISE 'refused'", "refused"}}));
  database.query(
      "CREATE FUNCTION fail_mark() RETURNS trigger LANGUAGE plpgsql AS"
      " $$ BEGIN IF NEW.handled_at IS NOT NULL THEN " +
      action + "; END IF; RETURN NEW; END $$; CREATE " + trigger + " FOR EACH ROW EXECUTE FUNCTION fail_mark()");
  const Handler handler = [](Transaction& db, const std::string& id, const std::string&) {
    note(db, id);
    db.run("SAVEPOINT mine");
    CHECK(contains(problem_of([&] { db.run("SELECT 1 / 0"); }), "division"));
    db.run("ROLLBACK TO mine");  // so this is not the reason
  };
  std::map<std::string, std::string> reasons;
  CHECK(handle_next(*store, handler, &reasons));
  CHECK(contains(reasons["whe_1"], reason));
  CHECK(database.query("SELECT count(*) FROM notes") == "0\n");
  CHECK(contains(database.query("SELECT reason FROM webhook_events"), reason));
  database.query("DROP FUNCTION fail_mark CASCADE");
  REQUIRE(eventually([&] { return handle_next(*store, handler); }));
  CHECK(database.query("SELECT count(*) FROM notes") == "1\n");
  CHECK(all_handled(database));
}

TEST_CASE("if the tables could not be made, the next call tries again", "[postgres]") {
  const Postgres database;
  database.query("ALTER DATABASE " + database.name() + " SET lock_timeout = '100ms'");
  std::unique_ptr<PGconn, void (*)(PGconn*)> lock(PQconnectdb(database.where().c_str()), PQfinish);
  PQclear(PQexec(lock.get(), "SELECT pg_advisory_lock(hashtext('webhook_events'))"));
  const auto store = open_store(database.where(), Purpose::record);
  const auto record = [&] { store->record({{"whe_1", "a"}}); };
  CHECK(contains(problem_of(record), "lock timeout"));
  lock.reset();
  CHECK(eventually([&] { return problem_of(record).empty(); }));
}

TEST_CASE("an event whose commit fails is put off, and the others are handled", "[postgres]") {
  const Postgres database;
  open_store(database.where(), Purpose::record)
      ->record({{"whe_1", "a"}, {"whe_2", "b"}, {"whe_3", "c"}, {"whe_4", "d"}});
  database.query(
      "CREATE FUNCTION fail_note() RETURNS trigger LANGUAGE plpgsql AS"
      " $$ BEGIN IF NEW.event_id = 'whe_2' THEN RAISE 'refused'; END IF; RETURN NULL; END $$;"
      "CREATE CONSTRAINT TRIGGER fail_note AFTER INSERT ON notes DEFERRABLE INITIALLY DEFERRED"
      " FOR EACH ROW EXECUTE FUNCTION fail_note()");
  const auto store = open_store(database.where(), Purpose::handle);
  REQUIRE(eventually([&] {
    try {
      handle_next(*store, [](Transaction& db, const std::string& id, const std::string&) {
        db.run("INSERT INTO notes VALUES($1, 'noted')", {id});
      });
    } catch (const std::exception&) {  // it reconnects after a second
    }
    return database.query("SELECT count(*) FROM notes") == "3\n" &&
           database.query("SELECT id FROM webhook_events WHERE reason LIKE '%refused%'") == "whe_2\n";
  }));
  CHECK(database.query("SELECT count(handled_at) FROM webhook_events") == "3\n");
}

TEST_CASE("others do not take an event while its handler runs, however long, nor during the pause after a failure",
          "[postgres]") {
  const Postgres database;
  open_store(database.where(), Purpose::record)->record({{"whe_1", "a"}});
  database.query("UPDATE webhook_events SET attempts = 4");  // so that the pause is long, even for a slow machine
  const auto others = [&] {
    bool called = false;
    const bool found = handle_next(*open_store(database.where(), Purpose::handle),
                                   [&](Transaction&, const std::string&, const std::string&) { called = true; });
    return found || called;
  };
  std::map<std::string, std::string> reasons;
  CHECK(handle_next(
      *open_store(database.where(), Purpose::handle),
      [&](Transaction&, const std::string&, const std::string&) {
        const bool due = eventually([&] {
          return database.query("SELECT count(*) FROM webhook_events WHERE try_at < clock_timestamp()") == "1\n";
        });
        CHECK(due);
        CHECK_FALSE(others());
        throw std::runtime_error("no luck");
      },
      &reasons));
  CHECK(reasons["whe_1"] == "no luck");
  CHECK(database.query("SELECT attempts FROM webhook_events") == "5\n");
  CHECK(database.query("SELECT reason FROM webhook_events WHERE try_at > clock_timestamp()") == "no luck\n");
  CHECK_FALSE(others());
}

TEMPLATE_TEST_CASE("a handler that loses its connection does not stop others, and its first error is kept", "",
                   TEST_DATABASES) {
  const TestType database;
  const auto record = open_store(database.where(), Purpose::record);
  // It has the shorter statement time-out of recording, so that nobody waits for half a minute.
  const auto store = open_store(database.where(), Purpose::record, 300s);
  const std::map<std::string, std::pair<std::vector<const char*>, const char*>> cases{
      {"ended", {{"SELECT pg_terminate_backend(pg_backend_pid())"}, ""}},
      {"idle", {{"SET LOCAL idle_in_transaction_session_timeout = 100", "SELECT 1"}, ""}},
      {"long", {{"SET LOCAL statement_timeout = 0", "SELECT pg_sleep(60)"}, "PostgreSQL: it does not answer"}},
      {"swallowed", {{"SELECT 'first error'::int", "SELECT 1"}, "first error"}},
      {"committed", {{"COMMIT"}, "the transaction has ended"}},
      {"copy", {{"COPY notes TO STDOUT"}, "COPY is not possible here"}},
      {"copy in", {{"COPY notes FROM STDIN"}, "COPY is not possible here"}}};
  for (const auto& [id, statements_and_reason] : cases) record->record({{id, "a"}});
  std::map<std::string, std::string> reasons;
  const Handler handler = [&](Transaction& db, const std::string& id, const std::string&) {
    note(db, id);
    const auto found = cases.find(id);
    if (found == cases.end()) return;
    try {
      for (const char* statement : found->second.first) {
        db.run(statement);
        if (id == "idle") std::this_thread::sleep_for(300ms);
      }
    } catch (const std::exception&) {
      throw std::runtime_error("what came of it");
    }
  };
  for (int i = 0; i < 3; ++i) record->record({{"whe_" + std::to_string(i), "a"}});
  REQUIRE(eventually([&] {
    problem_of([&] { handle_next(*store, handler, &reasons); });
    return reasons.size() == cases.size() &&
           database.query("SELECT count(*) FROM webhook_events WHERE id LIKE 'whe%' AND handled_at IS NULL") ==
               "0\n";
  }));
  for (const auto& [id, statements_and_reason] : cases) {
    CAPTURE(id, reasons[id]);
    CHECK(contains(reasons[id], statements_and_reason.second));
    CHECK(reasons[id] != "what came of it");
    CHECK(contains(reasons[id], "PostgreSQL: "));
    CHECK(database.query("SELECT attempts > 0 FROM webhook_events WHERE id = '" + id + "'") == "t\n");
    CHECK(contains(database.query("SELECT reason FROM webhook_events WHERE id = '" + id + "'"), "PostgreSQL: "));
  }
  const auto notes = database.query("SELECT event_id FROM notes WHERE event_id <> 'committed' ORDER BY 1");
  CHECK(notes == "whe_0\nwhe_1\nwhe_2\n");
  CHECK(eventually([&] {  // no statement is left behind
    return database.query(
               "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep%' AND state = 'active'"
               " AND pid <> pg_backend_pid()") == "0\n";
  }));
}

TEST_CASE("a failed statement of a handler does not cost the connection", "[postgres]") {
  const Postgres database;
  open_store(database.where(), Purpose::record)->record({{"whe_1", "a"}, {"whe_2", "b"}});
  const auto store = open_store(database.where(), Purpose::handle);
  Values connections;
  const Handler handler = [&](Transaction& db, const std::string&, const std::string&) {
    connections.push_back(db.run("SELECT pg_backend_pid()")[0]);
    db.run("SELECT 1 / 0");
  };
  for (int i = 0; i < 2; ++i) CHECK(handle_next(*store, handler));
  CHECK(connections.at(0) == connections.at(1));
}

TEMPLATE_TEST_CASE("tables may be altered between events, since a handler's statements are not kept prepared", "",
                   TEST_DATABASES) {
  const TestType database;
  const auto record = open_store(database.where(), Purpose::record);
  const auto store = open_store(database.where(), Purpose::handle);
  database.query("CREATE TABLE things(a int); INSERT INTO things VALUES(1)");
  Values prepared;
  const Handler handler = [&](Transaction& db, const std::string& id, const std::string&) {
    db.run("SELECT * FROM things");
    db.run("SELECT '" + id + "'");  // a literal
    prepared = db.run("SELECT count(*) FROM pg_prepared_statements");
  };
  for (int i = 0; i < 3; ++i) {
    record->record({{"whe_" + std::to_string(i), "a"}});
    CHECK(handle_next(*store, handler));
    database.query("ALTER TABLE things ADD COLUMN b" + std::to_string(i) + " int");
  }
  CHECK(all_handled(database));
  CHECK(prepared == Values{"0"});
}

TEST_CASE("of several hosts, it uses the one that is writable, unless the URL says otherwise", "[postgres]") {
  PostgresServer server;
  const Postgres old(server), successor;
  successor.query("CREATE DATABASE " + old.name() + "_2");
  old.query("CREATE DATABASE " + old.name() + "_2");
  const std::string url = "host=" + server.folder() + "," + PostgresServer::of_all_tests().folder() +
                          " user=receiver dbname=" + old.name() + "_2";
  const auto store = open_store(url, Purpose::record);
  CHECK(store->record({{"whe_1", "a"}}).size() == 1);
  old.query("ALTER DATABASE " + old.name() + "_2 SET default_transaction_read_only = on");
  old.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '" + old.name() + "_2'");
  REQUIRE(eventually([&] { return problem_of([&] { store->record({{"whe_2", "b"}}); }).empty(); }));
  CHECK(store->record({{"whe_1", "a"}, {"whe_2", "b"}}) == std::set<std::string>{"whe_1"});
  const std::string any = url + " target_session_attrs=any";
  CHECK(contains(problem_of([&] { open_store(any, Purpose::record)->record({{"whe_3", "c"}}); }), "read-only"));
}

TEST_CASE("a delivery counts as recorded only once a synchronous standby has it, at any attempt", "[postgres]") {
  PostgresServer server;
  const Postgres database(server);
  const auto store = open_store(database.where(), Purpose::record);
  const auto standbys = [&](const char* names) {
    database.query(std::string("ALTER SYSTEM SET synchronous_standby_names = '") + names + "'");
    database.query("SELECT pg_reload_conf()");
    CHECK(
        eventually([&] { return database.query("SHOW synchronous_standby_names") == std::string(names) + '\n'; }));
  };
  const std::string waits = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'";
  standbys("nobody");
  REQUIRE(eventually([&] { return !problem_of([&] { store->record({{"whe_0", "a"}}); }).empty(); }));
  for (int attempt = 0; attempt < 2; ++attempt) {
    CHECK(problem_of([&] { store->record({{"whe_1", "a"}}); }) == "PostgreSQL: it does not answer");
    CHECK(eventually([&] { return database.query(waits) == "0\n"; }));  // an abandoned statement is cancelled
    CHECK(database.query("SELECT count(*) FROM webhook_events WHERE id = 'whe_1'") == "1\n");
  }
  auto canceled = std::async(std::launch::async, [&] {
    return problem_of([&] { store->record({{"whe_2", "b"}}); });
  });
  CHECK(eventually([&] { return database.query(waits) == "1\n"; }));
  database.query("SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep'");
  CHECK(contains(canceled.get(), "standby"));
  standbys("");
  REQUIRE(eventually([&] { return problem_of([&] { store->check(); }).empty(); }));
  CHECK(store->record({{"whe_1", "a"}, {"whe_2", "b"}, {"whe_3", "c"}}) == std::set<std::string>{"whe_3"});
}

TEST_CASE("an event whose commit fails is not acknowledged", "[postgres]") {
  const Postgres database;
  Receiver receiver(database.where(), database.folder.path / "log");
  REQUIRE(deliver(receiver.port, event("whe_1")) == 200);
  REQUIRE(eventually([&] { return all_handled(database); }));
  database.fail_commits(true);
  CHECK(deliver(receiver.port, event("whe_2")) == 503);
  CHECK(database.query("SELECT count(*) FROM webhook_events") == "1\n");
  database.fail_commits(false);
  REQUIRE(eventually([&] { return deliver(receiver.port, event("whe_2")) == 200; }));
  REQUIRE(eventually([&] { return all_handled(database); }));
  CHECK(database.query("SELECT count(*) FROM notes") == "2\n");
}

TEST_CASE("a database that becomes read-only, and then another one", "[postgres]") {
  const Postgres database;
  Receiver receiver(database.where(), database.folder.path / "log");
  CHECK(deliver(receiver.port, event("whe_1")) == 200);
  REQUIRE(eventually([&] { return all_handled(database); }));
  database.read_only(true);
  REQUIRE(eventually([&] {
    CHECK(deliver(receiver.port, event("whe_2")) == 503);
    return receiver.log().find("read-only") != std::string::npos;
  }));
  CHECK(database.query("SELECT count(*) FROM webhook_events") == "1\n");
  database.read_only(false);
  REQUIRE(eventually([&] { return deliver(receiver.port, event("whe_2")) == 200; }));
  REQUIRE(eventually([&] { return all_handled(database); }));
  CHECK(database.query("SELECT count(*) FROM notes") == "2\n");
}

TEST_CASE("a lost connection is reopened without a failed delivery", "[postgres]") {
  const Postgres database;
  Receiver receiver(database.where(), database.folder.path / "log");
  CHECK(deliver(receiver.port, event("whe_1")) == 200);
  REQUIRE(eventually([&] { return all_handled(database); }));
  database.disconnect_others();
  CHECK(deliver(receiver.port, event("whe_2")) == 200);
  REQUIRE(eventually([&] { return all_handled(database); }));
}

TEST_CASE("while the server is down, the answer is 503, even to the first delivery", "[postgres]") {
  PostgresServer server;  // since the shared one must keep running
  const Postgres database(server);
  Receiver a(database.where(), database.folder.path / "a");
  CHECK(deliver(a.port, event("whe_1")) == 200);
  REQUIRE(eventually([&] { return all_handled(database); }));
  server.stop_immediately();
  Receiver b(database.where(), database.folder.path / "b");
  for (int i = 0; i < 20; ++i) {
    CHECK(deliver(a.port, event("whe_2")) == 503);
    CHECK(deliver(b.port, event("whe_2")) == 503);
  }
  server.start();
  REQUIRE(eventually([&] { return deliver(a.port, event("whe_2")) == 200; }));
  REQUIRE(eventually([&] { return deliver(b.port, event("whe_3")) == 200; }));
  REQUIRE(eventually([&] { return all_handled(database); }));
  CHECK(database.query("SELECT event_id FROM notes ORDER BY event_id") == "whe_1\nwhe_2\nwhe_3\n");
}

TEST_CASE("an abandoned statement does not keep waiting in the server", "[postgres]") {
  const Postgres database;
  Receiver receiver(database.where(), database.folder.path / "log");
  CHECK(deliver(receiver.port, event("whe_1")) == 200);
  REQUIRE(eventually([&] { return all_handled(database); }));
  const Postgres::Lock lock(database);
  CHECK(deliver(receiver.port, event("whe_2")) == 503);
  CHECK(eventually([&] {
    return database.query(
               "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'INSERT INTO webhook%' AND"
               " datname = current_database() AND wait_event_type = 'Lock'") == "0\n";
  }));
}

TEST_CASE("a hanging server counts as down", "[postgres]") {
  const Postgres database;
  const auto store = open_store(database.where(), Purpose::record);
  store->record({{"whe_1", "a"}});
  const pid_t session = std::stoi(database.query(
      "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"));
  kill(session, SIGSTOP);
  // A body larger than the socket's buffer.
  const auto problem = problem_of([&] { store->record({{"whe_2", std::string(900'000, ' ')}}); });
  CHECK(contains(problem, "does not answer"));
  CHECK(store->record({{"whe_3", "c"}}).size() == 1);
  kill(session, SIGCONT);
  REQUIRE(eventually([&] { return problem_of([&] { store->record({{"whe_2", "b"}}); }).empty(); }));
}

TEST_CASE("a host that accepts connections and stays silent counts as down, too", "[postgres]") {
  const Folder folder;
  const int silent = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  REQUIRE(bind(silent, reinterpret_cast<const sockaddr*>(&address), size) == 0);
  REQUIRE(listen(silent, 100) == 0);
  REQUIRE(getsockname(silent, reinterpret_cast<sockaddr*>(&address), &size) == 0);
  const std::string host = "127.0.0.1:" + std::to_string(ntohs(address.sin_port));
  Receiver receiver("postgresql://receiver@" + host + "/x", folder.path / "log");
  in_threads(4, [&](std::size_t) { post(receiver.port, "", {}); });
  std::atomic<int> down{0};
  in_threads(4, [&](std::size_t i) { down += deliver(receiver.port, event("whe_" + std::to_string(i))) == 503; });
  CHECK(down == 4);
  CHECK(post(receiver.port, "", {}) == 401);
  receiver.signal(SIGTERM);
  CHECK(receiver.wait() == 0);
  close(silent);
}

TEST_CASE("a role without the rights that a receiver needs is reported at start", "[postgres]") {
  const Postgres database;
  const auto as = [&](const std::string& role) {
    std::string url = database.where();
    return url.replace(url.find("user=receiver"), 13, "user=" + role);
  };
  const auto start = [&](const std::string& url) {
    Process process(test_secret, {RECEIVER, "0", url}, database.folder.path / "log");
    CHECK(process.wait() == 2);
    return process.log();
  };
  database.query(
      "REVOKE CREATE ON SCHEMA public FROM PUBLIC; DROP ROLE IF EXISTS reader, inserter, marker;"
      "CREATE ROLE reader LOGIN; CREATE ROLE inserter LOGIN; CREATE ROLE marker LOGIN");
  CHECK(contains(start(as("reader")), "receiver: PostgreSQL: permission denied for schema"));
  open_store(database.where(), Purpose::record);
  database.query(
      "GRANT SELECT ON webhook_events TO reader; GRANT SELECT, INSERT ON webhook_events TO inserter;"
      "GRANT SELECT, INSERT, UPDATE(attempts, try_at, handled_at) ON webhook_events TO marker");
  for (const char* role : {"reader", "inserter", "marker"}) {
    CAPTURE(role);
    CHECK(contains(start(as(role)),
                   "receiver: PostgreSQL: permission denied for table webhook_events"
                   " (SQLSTATE 42501)"));
  }
  database.query(
      "ALTER TABLE webhook_events ENABLE ROW LEVEL SECURITY; GRANT UPDATE ON webhook_events TO marker;"
      "CREATE POLICY to_insert ON webhook_events FOR INSERT WITH CHECK (true);"
      "CREATE POLICY to_select ON webhook_events FOR SELECT USING (true)");
  CHECK(contains(start(as("marker")), "rows are hidden, perhaps by row-level security"));
  database.query("DROP POLICY to_insert ON webhook_events");
  CHECK(contains(start(as("marker")), "row-level security policy"));
  database.query("ALTER TABLE webhook_events DROP COLUMN attempts");
  CHECK(contains(start(database.where()), "\"attempts\" does not exist"));
  database.query("ALTER DATABASE " + database.name() + " SET search_path = ''");
  CHECK(contains(start(database.where()), "no schema has been selected to create in (SQLSTATE 3F000)"));
}

TEST_CASE("/healthz fails while rights or a partition are missing", "[postgres]") {
  const Postgres database;
  const std::string tenant = "tenant_" + database.name();
  open_store(database.where(), Purpose::record);
  database.query("CREATE ROLE " + tenant + " LOGIN; GRANT ALL ON ALL TABLES IN SCHEMA public TO " + tenant);
  std::string url = database.where();
  url.replace(url.find("user=receiver"), 13, "user=" + tenant);
  const Receiver receiver(url, database.folder.path / "log");
  const auto becomes = [&](int status) {
    return eventually([&] {
      const auto answer = httplib::Client("127.0.0.1", receiver.port).Get("/healthz");
      return answer && answer->status == status;
    });
  };
  CHECK(becomes(200));
  SECTION("row-level security") {
    database.query("ALTER TABLE webhook_events ENABLE ROW LEVEL SECURITY");
    CHECK(becomes(503));
    CHECK(deliver(receiver.port, event("whe_1")) == 503);
    database.query("ALTER TABLE webhook_events DISABLE ROW LEVEL SECURITY");
  }
  SECTION("a partition") {
    database.query(
        "ALTER TABLE webhook_events RENAME TO old; CREATE TABLE webhook_events(LIKE old INCLUDING DEFAULTS,"
        " PRIMARY KEY(id, received_at)) PARTITION BY RANGE(received_at);"
        "GRANT ALL ON webhook_events TO " +
        tenant);
    CHECK(becomes(503));
    CHECK(deliver(receiver.port, event("whe_1")) == 503);
    database.query("CREATE TABLE today PARTITION OF webhook_events DEFAULT");
  }
  CHECK(becomes(200));
  CHECK(deliver(receiver.port, event("whe_1")) == 200);
}

TEMPLATE_TEST_CASE("the settings of a database or role change neither isolation nor encoding", "",
                   TEST_DATABASES) {
  const TestType database;
  open_store(database.where(), Purpose::record);
  for (const char* setting : {"default_transaction_isolation = 'serializable'", "client_encoding = 'LATIN1'"}) {
    database.query("ALTER DATABASE " + database.name() + " SET " + setting);
  }
  database.disconnect_others();
  database.before_insert("webhook_events", "current_setting('transaction_isolation') <> 'read committed'",
                         Postgres::failure);
  const auto record = open_store(database.where() + "&client_encoding=LATIN1", Purpose::record);
  const auto store = open_store(database.where(), Purpose::handle, 7s);
  record->record({{"whe_1", "\xc3\xa9"}});
  Values settings;
  std::string body;
  CHECK(handle_next(*store, [&](Transaction& db, const std::string&, const std::string& text) {
    body = text;
    settings = db.run(
        "SELECT current_setting('transaction_isolation'), current_setting('idle_in_transaction_session_timeout')");
    db.run("INSERT INTO notes VALUES($1, $2)", {"whe_1", text});
  }));
  CHECK(settings == Values{"read committed", "12s"});
  CHECK(body == "\xc3\xa9");
  CHECK(database.query("SELECT length(note) FROM notes") == "1\n");
}

TEST_CASE("the error for a refused row does not show its content", "[postgres]") {
  const Postgres database;
  Receiver receiver(database.where(), database.folder.path / "log");
  database.query("ALTER TABLE webhook_events ADD CONSTRAINT short CHECK (length(body) < 100) NOT VALID");
  CHECK(deliver(receiver.port, event("whe_1")) == 503);
  CHECK(receiver.logs("violates check constraint \"short\" (SQLSTATE 23514)\n"));
  CHECK_FALSE(contains(receiver.log(), "sesn_1"));
  CHECK_FALSE(contains(receiver.log(), "DETAIL"));
}

TEMPLATE_TEST_CASE("handlers that lock the same name take turns, and others do not wait", "", TEST_DATABASES) {
  const TestType database;
  open_store(database.where(), Purpose::record)->record({{"1", "a"}, {"2", "a"}, {"3", "b"}});
  const auto first = open_store(database.where(), Purpose::handle),
             second = open_store(database.where(), Purpose::handle);
  const auto other = open_store(database.where(), Purpose::handle);
  std::string order;
  std::mutex mutex;
  const auto add = [&](const std::string& text) {
    const std::lock_guard lock(mutex);
    order += text + ' ';
  };
  std::future<bool> waiting;
  CHECK(handle_next(*first, [&](Transaction& db, const std::string& id, const std::string&) {
    db.lock("an object");
    waiting = std::async(std::launch::async, [&] {
      return handle_next(*second, [&](Transaction& db_2, const std::string& id_2, const std::string&) {
        db_2.lock("an object");
        add("second");
        note(db_2, id_2);
      });
    });
    CHECK(eventually([&] {
      return database.query(
                 "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND database ="
                 " (SELECT oid FROM pg_database WHERE datname = current_database())") == "1\n";
    }));
    CHECK(handle_next(*other, [&](Transaction& db_3, const std::string& id_3, const std::string&) {
      db_3.lock("another");
      add("other");
      note(db_3, id_3);
    }));
    add("first");
    note(db, id);
  }));
  CHECK(waiting.get());
  CHECK(order == "other first second ");
  CHECK(database.query("SELECT count(*) FROM notes") == "3\n");
}

TEST_CASE("it needs no right to create tables if they exist", "[postgres]") {
  const Postgres database;
  open_store(database.where(), Purpose::record)->record({{"whe_1", "a"}});
  database.query(
      "DROP ROLE IF EXISTS modest; CREATE ROLE modest LOGIN; REVOKE CREATE ON SCHEMA public FROM PUBLIC;"
      "GRANT SELECT, INSERT, UPDATE ON webhook_events TO modest; GRANT INSERT ON notes TO modest");
  std::string url = database.where();
  url.replace(url.find("user=receiver"), 13, "user=modest");
  Receiver receiver(url, database.folder.path / "log");
  CHECK(deliver(receiver.port, event("whe_2")) == 200);
  REQUIRE(eventually([&] { return database.query("SELECT event_id FROM notes") == "whe_2\n"; }));
}

// Three receivers, a sender that follows the service's rules but divides its pauses of 5 to 120 seconds by 250,
// and a fault every few events. The assertions hold whatever coincides; the printed figures depend on it.
template <class Database>
void crash_receivers_and(PostgresServer& server, const Database& database) {
  constexpr std::size_t events = 5000, receivers = 3, connections = 8;
  constexpr unsigned seed = 20260315;
  const auto begin = std::chrono::steady_clock::now();
  const auto name = [](std::size_t i) { return "whe_" + std::to_string(10000 + i); };

  std::array<std::unique_ptr<Receiver>, receivers> running;
  std::array<std::atomic<int>, receivers> ports{};
  std::vector<fs::path> logs;
  const auto start = [&](std::size_t r) {
    logs.push_back(database.folder.path / ("log" + std::to_string(logs.size())));
    running[r] = std::make_unique<Receiver>(database.where(), logs.back());
    ports[r] = running[r]->port;
  };
  for (std::size_t r = 0; r < receivers; ++r) start(r);

  std::vector<std::atomic<bool>> acknowledged(events);
  std::atomic<std::size_t> next_event{0}, next_receiver{0}, done{0}, attempts{0};
  std::thread sender([&] {
    in_threads(connections, [&](std::size_t thread) {
      std::minstd_rand random(seed + static_cast<unsigned>(thread));
      for (std::size_t i = next_event++; i < events; i = next_event++) {
        for (int attempt = 0; attempt < 3 && !acknowledged[i]; ++attempt) {
          const int least = attempt == 1 ? 20 : 100;
          if (attempt > 0)
            std::this_thread::sleep_for(std::chrono::milliseconds(least + static_cast<int>(random() % 100)));
          ++attempts;
          acknowledged[i] = deliver(ports[next_receiver++ % receivers], event(name(i))) == 200;
        }
        ++done;
      }
    });
  });

  std::minstd_rand random(seed);
  std::size_t kills = 0, crashes = 0;
  for (std::size_t at = 0; (at += 50 + random() % 150) < events;) {
    while (done < at) std::this_thread::sleep_for(1ms);
    if (at > (crashes + 1) * events / 3) {
      server.stop_immediately();
      ++crashes;
      std::this_thread::sleep_for(std::chrono::milliseconds(random() % 200));
      const std::size_t r = random() % receivers;  // one starts while the database is down
      running[r]->signal(SIGKILL);
      running[r]->wait();
      start(r);
      server.start();
    } else {
      const std::size_t r = random() % receivers;
      running[r]->signal(SIGKILL);
      running[r]->wait();
      std::this_thread::sleep_for(std::chrono::milliseconds(random() % 50));
      start(r);
    }
    ++kills;
  }
  sender.join();
  REQUIRE(eventually([&] { return all_handled(database); }));

  std::set<std::string> recorded;
  std::istringstream rows(database.query("SELECT id FROM webhook_events"));
  for (std::string id; std::getline(rows, id);) recorded.insert(id);
  std::size_t accepted = 0, lost = 0, repeated = 0;
  for (std::size_t i = 0; i < events; ++i) {
    accepted += acknowledged[i];
    lost += acknowledged[i] && recorded.count(name(i)) == 0;
  }
  for (const auto& log : logs) repeated += count(contents(log), " duplicate ");
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  std::cout << events << " events on " << connections << " connections to " << receivers << " receivers: " << kills
            << " times kill -9, " << crashes << " crashes of PostgreSQL; " << accepted << " were accepted in "
            << attempts << " attempts, " << events - accepted << " were dropped after three; " << recorded.size()
            << " are recorded, " << lost << " lost, " << repeated << " duplicates; in " << took.count() << " s"
            << std::endl;
  CHECK(crashes == 2);
  CHECK(kills > 20);
  CHECK(accepted > events / 2);
  CHECK(lost == 0);
  const std::string all = std::to_string(recorded.size()) + '\n';
  CHECK(database.query("SELECT count(*) FROM webhook_events") == all);
  CHECK(database.query("SELECT count(handled_at) FROM webhook_events") == all);
  CHECK(database.query("SELECT count(*) FROM notes") == all);
  CHECK(database.query("SELECT count(DISTINCT event_id) FROM notes") == all);
}

TEST_CASE("no event is lost or handled twice while receivers and the database crash", "[postgres]") {
  PostgresServer server;
  crash_receivers_and(server, Postgres(server));
}

#ifdef PGBOUNCER
TEST_CASE("no event is lost or handled twice through a pool while receivers and the database crash", "[pool]") {
  PostgresServer server;
  const Pool pool(server);
  crash_receivers_and(server, PooledPostgres(server, pool));
}
#endif
