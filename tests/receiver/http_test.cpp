// SPDX-License-Identifier: MIT
// Runs the examples `receiver` and `send` as processes, over loopback: how they answer, start and stop.
#include "../catch.hpp"
#include "databases.hpp"
#include "deliveries.hpp"
#include "store.hpp"

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <csignal>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

namespace {

const std::string old_secret = "whsec_C2VsBQIhrscChlQIMV+b5sSYspob7oD+";

fs::path log_in(const Sqlite& database) { return database.folder.path / "receiver.log"; }

bool all_handled(const Sqlite& database) {
  return database.query("SELECT count(*) FROM webhook_events WHERE handled_at IS NULL") == "0\n";
}

std::string hex(std::size_t number) {
  std::ostringstream text;
  text << std::hex << number;
  return text.str();
}

}  // namespace

TEST_CASE("each delivery gets the status that it should") {
  const Sqlite database;
  Receiver receiver(database.where(), log_in(database));
  const int port = receiver.port;

  CHECK(deliver(port, event("whe_1")) == 200);
  CHECK(deliver(port, event("whe_1")) == 200);
  CHECK(deliver(port, event("whe_2", "workflow.published")) == 200);
  CHECK(receiver.logs("200 POST /webhooks  recorded whe_1 session.status_idled\n"));
  CHECK(receiver.logs("200 POST /webhooks  duplicate whe_1 session.status_idled\n"));
  CHECK(receiver.logs("200 POST /webhooks  recorded whe_2 workflow.published\n"));

  const std::string body = event("whe_no");
  CHECK(post(port, body, {}) == 401);
  CHECK(post(port, body + " ", signed_headers(body)) == 401);
  CHECK(post(port, body, signed_headers(body, "whe_no", old_secret)) == 401);
  CHECK(post(port, body, signed_headers(body, "whe_no", test_secret, 1h)) == 401);
  CHECK(post(port, body, signed_headers(body, "whe_no", test_secret, -1h)) == 401);
  auto dotted = signed_headers(body);
  dotted.find("Webhook-Id")->second = "whe.no";
  CHECK(post(port, body, dotted) == 401);
  CHECK(post(port, body, signed_headers(body, std::string(1001, 'i'))) == 431);

  const std::string large(2 << 20, ' ');
  CHECK(deliver(port, large) == 413);
  CHECK(deliver(port, body + std::string((1 << 20) - body.size() + 1, ' ')) == 413);
  CHECK(status_of(port, head(large, "Transfer-Encoding: chunked") + "200000\r\n" + large + "\r\n0\r\n\r\n") ==
        "413");

  for (const char* method : {"GET", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"}) {
    CAPTURE(method);
    Connection connection(port);
    connection.send(head(body, length_of(body), method + std::string(" /webhooks")) + body);
    const auto text = connection.answer(method == std::string("HEAD"));
    CHECK(text.compare(0, 13, "HTTP/1.1 405 ") == 0);
    CHECK(text.find("\r\nAllow: POST\r\n") != std::string::npos);
  }
  for (const char* request : {"POST /", "POST /webhooks/", "POST /webhooks/x", "GET /", "POST /WEBHOOKS"}) {
    CAPTURE(request);
    CHECK(status_of(port, head(body, length_of(body), request) + body) == "404");
  }

  CHECK(database.query("SELECT id FROM webhook_events ORDER BY id") == "whe_1\nwhe_2\n");
  CHECK(database.query("SELECT body FROM webhook_events WHERE id = 'whe_2'") ==
        event("whe_2", "workflow.published") + '\n');
  REQUIRE(eventually([&] { return all_handled(database); }));
  CHECK(database.query("SELECT note FROM notes ORDER BY event_id") ==
        "session sesn_1 is idle\nworkflow.published sesn_1\n");
}

TEST_CASE("an incomplete or malformed request is not recorded") {
  const Sqlite database;
  Receiver receiver(database.where(), log_in(database));
  const int port = receiver.port;
  const std::string body = event("whe_1");

  const std::string chunked = "Transfer-Encoding: chunked";
  for (const std::string& request :
       {head(body, "Content-Length: 10000") + body, head(body, "Content-Length: -1") + body,
        head(body, chunked) + "400\r\n" + body, head(body, length_of(body)) + body.substr(1),
        head(body, chunked)}) {
    CAPTURE(request);
    CHECK(Connection(port).send(request).end_of_input().read().find(" 200 ") == std::string::npos);
  }
  for (const std::string& request :
       {head(body, "Content-Length: x") + body, head(body, "Content-Length: 5\r\n" + length_of(body)) + body,
        head(body, chunked + "\r\n" + length_of(body)) + body, head(body, chunked) + "zz\r\n" + body,
        std::string("POST /webhooks\r\n\r\n"), std::string("\x16\x03\x01\x02"),
        "no HTTP" + std::string(100, '\n')}) {
    CAPTURE(request);
    CHECK(Connection(port).send(request).end_of_input().answer().compare(0, 13, "HTTP/1.1 400 ") == 0);
  }
  CHECK(status_of(port, head(body, "Webhook-Id: other\r\n" + length_of(body)) + body) == "401");
  CHECK(status_of(port, head(body, "Webhook-Timestamp: 1\r\n" + length_of(body)) + body) == "401");
  CHECK(status_of(port, head(body, "")) == "401");  // without a body
  CHECK(database.query("SELECT count(*) FROM webhook_events") == "0\n");

  CHECK(status_of(port, head(body, chunked) + "1\r\n{\r\n80\r\n" + body.substr(1, 128) + "\r\n" +
                            hex(body.size() - 129) + "\r\n" + body.substr(129) + "\r\n0\r\n\r\n") == "200");
  CHECK(database.query("SELECT body FROM webhook_events") == body + '\n');
}

TEST_CASE("a delivery may come in any form of HTTP") {
  const Sqlite database;
  const Receiver receiver(database.where(), log_in(database));
  const int port = receiver.port;
  const std::string body = event("whe_1"), chunked = "Transfer-Encoding: chunked";
  const std::string chunks = hex(body.size()) + ";extension=1\r\n" + body + "\r\n0\r\n";
  CHECK(status_of(port, head(body, chunked + "\r\nTrailer: X-Sum") + chunks + "X-Sum: 1\r\n\r\n") == "200");
  for (const char* target :
       {"http://host/webhooks", "https://host:443/webhooks?a=b", "/webhooks?", "/webhooks?a=/x"}) {
    CAPTURE(target);
    const std::string request = std::string("POST ") + target;
    CHECK(status_of(port, head(body, length_of(body), request) + body) == "200");
  }
  for (const char* target :
       {"http://host", "http://host/", "http://webhooks", "http:///webhooks/", "/x?/webhooks"}) {
    CAPTURE(target);
    const std::string request = std::string("POST ") + target;
    CHECK(status_of(port, head(body, length_of(body), request) + body) == "404");
  }
  CHECK(status_of(port, head(body, "Content-Encoding: Identity\r\n" + length_of(body)) + body) == "200");

  // In sequence on one connection, two of them pipelined, and some that are refused.
  Connection connection(port);
  const std::string other = event("whe_2"), good = head(other, length_of(other)) + other;
  const std::string bad = head(body, length_of(other)) + other, wrong = head("", length_of(""), "GET /webhooks");
  for (const auto& request : {good, good + good, bad, good, wrong, bad + good + wrong, good}) {
    connection.send(request);
    for (std::size_t i = 0; i < count(request, " HTTP/1.1\r\n"); ++i)
      CHECK(connection.answer().find("HTTP/1.1 ") == 0);
  }
  CHECK(connection.send(good + wrong).answer().find("HTTP/1.1 200 ") == 0);
  CHECK(connection.answer().find("HTTP/1.1 405 ") == 0);
  CHECK(database.query("SELECT id FROM webhook_events ORDER BY id") == "whe_1\nwhe_2\n");
}

TEST_CASE("HTTP/1.0 has no chunks, no 100 and one request per connection") {
  const Sqlite database;
  const Receiver receiver(database.where(), log_in(database));
  const std::string body = event("whe_1"), chunks = hex(body.size()) + "\r\n" + body + "\r\n0\r\n\r\n";
  const auto answers = [&](const std::string& more, const std::string& content) {
    std::string request = head(body, more) + content;
    request.replace(request.find("HTTP/1.1"), 8, "HTTP/1.0");
    return Connection(receiver.port).send(request + request).read();
  };
  const std::string keep_alive = "Connection: keep-alive\r\n", chunked = "Transfer-Encoding: chunked";
  const std::string refused = answers(chunked, chunks);
  CHECK(refused.compare(0, 13, "HTTP/1.1 400 ") == 0);
  CHECK(answers(keep_alive + chunked, chunks) == refused);
  CHECK(answers(keep_alive + "Transfer-Encoding: gzip", body) == refused);
  CHECK(receiver.logs("400 POST /webhooks  HTTP/1.0 has no Transfer-Encoding\n"));
  CHECK(database.query("SELECT count(*) FROM webhook_events") == "0\n");
  for (const char* more : {"", "Expect: 100-continue\r\n", "Connection: keep-alive\r\n"}) {
    CAPTURE(more);
    const std::string answer = answers(more + length_of(body), body);
    CHECK(answer.compare(0, 13, "HTTP/1.1 200 ") == 0);
    CHECK(answer.find("\r\nConnection: close\r\n") != std::string::npos);
    CHECK(count(answer, "HTTP/1.1 ") == 1);
  }
}

TEST_CASE("a client that expects 100-continue is told to go on, or why not") {
  const Sqlite database;
  const Receiver receiver(database.where(), log_in(database));
  const std::string body = event("whe_1"), expect = "Expect: 100-continue\r\n";
  Connection good(receiver.port);
  REQUIRE(good.send(head(body, expect + length_of(body))).answer() == "HTTP/1.1 100 Continue\r\n\r\n");
  CHECK(good.send(body).answer().find("HTTP/1.1 200 ") == 0);
  CHECK(status_of(receiver.port, head("", expect + "Content-Length: 1048577")) == "413");
  CHECK(status_of(receiver.port, head(body, expect + length_of(body), "POST /")) == "404");
  CHECK(status_of(receiver.port, head(body, expect + "Content-Encoding: gzip\r\n" + length_of(body))) == "415");
}

TEST_CASE("an encoded body is refused, even if its signature is right") {
  const Sqlite database;
  const Receiver receiver(database.where(), log_in(database));
  const std::string body = event("whe_1");
  for (const char* line : {"Content-Encoding: gzip", "Content-Encoding: br", "content-encoding: deflate, identity",
                           "Content-Encoding:", "Content-Encoding: identity\r\nContent-Encoding: zstd"}) {
    CAPTURE(line);
    CHECK(status_of(receiver.port, head(body, line + ("\r\n" + length_of(body))) + body) == "415");
  }
  CHECK(status_of(receiver.port, head(body, "Transfer-Encoding: gzip, chunked") + "0\r\n\r\n") == "415");
  const auto status = status_of(receiver.port, head(body, "Transfer-Encoding: gzip\r\n" + length_of(body)) + body);
  CHECK((status == "415" || status == "400"));  // newer versions of Boost do not accept it as HTTP
  CHECK(receiver.logs("415 POST /webhooks  the body is encoded, perhaps by a proxy\n"));
  CHECK(database.query("SELECT count(*) FROM webhook_events") == "0\n");
}

TEST_CASE("a Range header changes nothing") {
  const Sqlite database;
  const Receiver receiver(database.where(), log_in(database));
  const std::string body = event("whe_1");
  for (const char* range : {"bytes=0-", "bytes=0-0,0-0,0-0,0-0,0-0,0-0", "bytes=9999-"}) {
    const auto answer = Connection(receiver.port)
                            .send(head(body, std::string("Range: ") + range + "\r\n" + length_of(body)) + body)
                            .answer();
    CHECK(answer.find("HTTP/1.1 200 ") == 0);
    CHECK(answer.size() < 200);
  }
}

namespace {

std::string metrics(int port) {
  const auto answer = httplib::Client("127.0.0.1", port).Get("/metrics");
  REQUIRE(answer);
  CHECK(answer->status == 200);
  CHECK(answer->get_header_value("Content-Type") == "text/plain; version=0.0.4; charset=utf-8");
  return answer->body;
}

bool has(const std::string& metrics, const std::string& line) {
  return count('\n' + metrics, "\nwebhook_receiver_" + line + '\n') == 1;
}

}  // namespace

TEST_CASE("/healthz says whether deliveries can be recorded") {
  const Sqlite database;
  const Receiver receiver(database.where(), log_in(database));
  const auto health = [&](const std::string& request = "GET /healthz") {
    return status_of(receiver.port, request + " HTTP/1.1\r\n\r\n");
  };
  CHECK(health() == "200");
  Connection connection(receiver.port);
  CHECK(connection.send("GET /healthz HTTP/1.1\r\n\r\n").answer().find("\r\nContent-Type: text/plain\r\n") !=
        std::string::npos);
  CHECK(connection.send("HEAD /healthz HTTP/1.1\r\n\r\n").answer(true).find("HTTP/1.1 200 ") == 0);
  CHECK(connection.send("GET /healthz?x HTTP/1.1\r\n\r\n").answer().find("HTTP/1.1 200 ") == 0);
  CHECK(connection.send("POST /healthz HTTP/1.1\r\n\r\n").answer().find("\r\nAllow: GET, HEAD\r\n") !=
        std::string::npos);
  CHECK(count(receiver.log(), "recorded") == 0);
  database.before_insert("webhook_events", "true", Sqlite::failure);
  CHECK(eventually([&] { return health() == "503"; }));
  CHECK(eventually([&] { return has(metrics(receiver.port), "database_up 0"); }));
  database.undo_before_insert("webhook_events");
  CHECK(eventually([&] { return health() == "200"; }));
  CHECK(eventually([&] { return has(metrics(receiver.port), "database_up 1"); }));
  for (const char* line : {" cannot record: SQLite: refused\n", " deliveries can be recorded again\n"}) {
    CHECK(receiver.logs(line));
  }
  CHECK(receiver.logs("405 POST /healthz"));
  CHECK(count(receiver.log(), "/healthz") == 2);  // including the one in its text
}

TEST_CASE("/metrics counts requests and events") {
  const Sqlite database;
  Receiver::Options options;
  options.secrets = old_secret + "," + test_secret;
  const Receiver receiver(database.where(), log_in(database), options);
  const std::string first = metrics(receiver.port);
  CAPTURE(first);
  for (const char* line : {R"(requests_total{status="200"} 0)", R"(requests_total{status="503"} 0)",
                           R"(deliveries_total{secret="1"} 0)", R"(deliveries_total{secret="2"} 0)"}) {
    CAPTURE(line);
    CHECK(has(first, line));  // increase() needs the zero to start from
  }
  const std::string failing = event("whe_3");
  database.before_insert("notes", "NEW.event_id = 'whe_3'", Sqlite::failure);
  for (const auto& body : {event("whe_1"), event("whe_1"), event("whe_2"), failing}) {
    CHECK(deliver(receiver.port, body) == 200);
  }
  CHECK(post(receiver.port, failing, signed_headers(failing, "whe_3", old_secret)) == 200);
  CHECK(post(receiver.port, "forged", {}) == 401);
  CHECK(status_of(receiver.port, "GET / HTTP/1.1\r\n\r\n") == "404");
  for (const char* line : {R"(requests_total{status="200"} 5)", R"(requests_total{status="401"} 1)",
                           R"(requests_total{status="404"} 1)", R"(deliveries_total{secret="1"} 1)",
                           R"(deliveries_total{secret="2"} 4)", "events_recorded_total 3",
                           "events_duplicate_total 2", "events_handled_total 2"}) {
    CAPTURE(line);
    CHECK(eventually([&] { return has(metrics(receiver.port), line); }));
  }
  CHECK(eventually([&] { return !has(metrics(receiver.port), "attempts_failed_total 0"); }));

  Connection connection(receiver.port);
  const auto to_head = connection.send("HEAD /metrics HTTP/1.1\r\n\r\n").answer(true);
  CHECK(to_head.find("HTTP/1.1 200 ") == 0);
  CHECK(to_head.find("\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n") != std::string::npos);
  CHECK(connection.send("POST /metrics HTTP/1.1\r\n\r\n").answer().find("\r\nAllow: GET, HEAD\r\n") !=
        std::string::npos);
  CHECK(count(receiver.log(), "GET /metrics") == 0);
}

TEST_CASE("/metrics shows what is waiting in the database, in Prometheus' text format") {
  const Sqlite database;
  open_store(database.where(), Purpose::record)->check();  // makes the tables
  database.query(
      "INSERT INTO webhook_events(id, body, received_at, try_at, attempts) VALUES"
      "('whe_1', 'x', datetime('now', '-1000 seconds'), datetime('now', '3000 seconds'), 4),"
      "('whe_2', 'x', datetime('now', '-9 seconds'), datetime('now', '3000 seconds'), 5),"
      "('whe_3', 'x', datetime('now', '-2000 seconds'), NULL, 1)");
  const Receiver receiver(database.where(), log_in(database));
  REQUIRE(receiver.logs("not handled: whe_3: "));  // a body that does not parse is tried again at the start
  const auto begin = std::chrono::steady_clock::now();
  const std::string text = metrics(receiver.port);
  CAPTURE(text);
  for (const char* line : {"database_up 1", "events_waiting 2", "events_failing 1", "events_unparsable 1"}) {
    CAPTURE(line);
    CHECK(has(text, line));
  }
  const std::string age = "\nwebhook_receiver_oldest_event_age_seconds ";
  REQUIRE(count(text, age) == 1);
  const int seconds = std::stoi(text.substr(text.find(age) + age.size()));
  CHECK(seconds >= 1000);
  CHECK(seconds < 2000);
  if (std::system("promtool --version >/dev/null 2>&1") == 0) {
    const std::string file = (database.folder.path / "metrics").string();
    std::ofstream(file) << text;
    CHECK(std::system(("promtool check metrics <" + file).c_str()) == 0);
  } else {
    WARN("skipped: promtool, of Debian's package prometheus, is not installed");
  }

  // They are read every ten seconds at most, and left out if they cannot be read.
  database.query("ALTER TABLE webhook_events RENAME TO gone");
  CHECK(eventually([&] { return count(metrics(receiver.port), age) == 0; }));
  CHECK(std::chrono::steady_clock::now() - begin >= 10s);
  CHECK(has(metrics(receiver.port), "database_up 0"));
  CHECK(has(metrics(receiver.port), "events_recorded_total 0"));
}

TEST_CASE("in the grace period it accepts deliveries, but tells proxies to go elsewhere") {
  const Sqlite database;
  Receiver::Options options;
  options.more = {"--grace", "3600"};
  Receiver receiver(database.where(), log_in(database), options);
  const std::string body = event("whe_1"), request = head(body, length_of(body)) + body;
  const auto health = [&] { return status_of(receiver.port, "GET /healthz HTTP/1.1\r\n\r\n"); };
  Connection kept(receiver.port);
  CHECK(kept.send(request).answer().find("Connection: close") == std::string::npos);
  CHECK(health() == "200");
  receiver.signal(SIGTERM);
  CHECK(eventually([&] { return health() == "503"; }));
  CHECK(kept.send(request).read().find("Connection: close") != std::string::npos);
  CHECK(deliver(receiver.port, event("whe_2")) == 200);
  const Connection silent(receiver.port);  // its time-out is no longer ten minutes
  CHECK(eventually([&] { return silent.has_ended(); }));
  receiver.signal(SIGTERM);  // the second signal ends it
  CHECK(receiver.wait() == 0);
  CHECK(database.query("SELECT count(*) FROM webhook_events") == "2\n");
  CHECK(database.query("SELECT id FROM webhook_events WHERE handled_at IS NULL") == "whe_2\n");  // for others
  CHECK(count(receiver.log(), " told to stop\n") == 1);
}

TEST_CASE("the log has one line per delivery, without secrets or control characters") {
  const Sqlite database;
  Receiver receiver(database.where(), log_in(database));
  const std::string lines = receiver.log();
  const std::string body = event("whe_1", R"(forged\nline)");
  CHECK(post(receiver.port, body, signed_headers(body, "whe_\xe9[31m 200")) == 200);
  CHECK(post(receiver.port, event("whe_1"), signed_headers("other")) == 401);
  CHECK(status_of(receiver.port, head("", "Content-Length: 0", "POST /%0a\xe9" + std::string(1000, '/'))) ==
        "404");
  CHECK(status_of(receiver.port, head("", "Content-Length: 1048577")) == "413");
  CHECK(status_of(receiver.port, "GARBAGE\r\n\r\n") == "400");
  CHECK(Connection(receiver.port)
            .send("POST /webhooks HTTP/1.1\r\nHost: x\r\n")
            .end_of_input()
            .answer()
            .find(" 400 ") != std::string::npos);
  CHECK(Connection(receiver.port).connected);  // and closed without a byte
  REQUIRE(receiver.logs("the request is incomplete\n"));
  const std::string log = receiver.log();
  CHECK(count(log, "\n") == count(lines, "\n") + 7);
  CHECK(count(log, " signed with secret 1 of 1\n") == 1);
  for (const char c : log) CHECK((c == '\n' || (c >= ' ' && c <= '~')));
  CAPTURE(log);
  CHECK(log.find(" whe_%E9[31m 200 forged%0Aline\n") != std::string::npos);
  CHECK(log.find("404 POST /%0a%E9" + std::string(95, '/') + "  only POST /webhooks\n") != std::string::npos);
  CHECK(log.find("413 POST /webhooks  the body is too large\n") != std::string::npos);
  CHECK(log.find(test_secret.substr(6)) == std::string::npos);
}

TEST_CASE("it refuses to start without valid secrets, with unknown options, or on a port that is in use") {
  const Sqlite database;
  const fs::path log = database.folder.path / "log";
  const std::string where = database.where(), other = (database.folder.path / "other.db").string();
  for (const std::string& secrets :
       {std::string(), std::string(", \n"), std::string("whsec_"), test_secret + ",whsec_sec*ret",
        "v1," + test_secret, test_secret + "\tMfKQ9r8GKYqrTwjU"}) {
    CAPTURE(secrets);
    Process process(secrets, {RECEIVER, "0", where}, log);
    CHECK(process.wait() == 2);
    const std::string neither =
        "neither ANTHROPIC_WEBHOOK_SIGNING_KEY_FILE nor ANTHROPIC_WEBHOOK_SIGNING_KEY is set\n";
    CHECK(process.log().find("receiver: webhook secret: " + (secrets.empty() ? neither : "")) == 0);
    CHECK(process.log().find("listening") == std::string::npos);
    CHECK(process.log().find("MfKQ9r8") == std::string::npos);
  }
  CHECK_FALSE(fs::exists(where));

  const Receiver receiver(where, log_in(database));
  const std::string taken = std::to_string(receiver.port), no_port = "the port is not a number from 0 to 65535\n";
  const std::string no_option = "an option is unknown, or has no value\n";
  const std::string no_address = "the third argument is not an IP address\n";
  for (const auto& [arguments, message] : std::vector<std::pair<std::vector<std::string>, std::string>>{
           {{taken, other}, "cannot listen on 127.0.0.1, port " + taken + ": "},
           {{"0", other, "192.0.2.1"}, "cannot listen on 192.0.2.1, port 0: "},  // no machine has this address
           {{"0", other, "300.0.0.1"}, no_address},
           {{"0", other, "localhost"}, no_address},
           {{"0", other, ""}, no_address},
           {{"0", other, "postgresql://u:MfKQ9r8@h/db"}, no_address},
           {{"port", other}, no_port},
           {{"8080abc", other}, no_port},
           {{"0x50", other}, no_port},
           {{"+80", other}, no_port},
           {{" 80", other}, no_port},
           {{"", other}, no_port},
           {{"-1", other}, no_option},
           {{"--", "-1", other}, no_port},
           {{"65536", other}, no_port},
           {{"99999999999", other}, no_port},
           {{"postgresql://u:MfKQ9r8@localhost/x"}, no_port},
           {{"0", (database.folder.path / "nowhere" / "other.db").string()},
            "SQLite: unable to open database file: No such file or directory\n"},
           {{"0", database.folder.path.string()}, "SQLite: unable to open database file: Is a directory\n"},
           {{"0", other, "127.0.0.1", "password=MfKQ9r8"}, "there are more than three arguments"},
           {{"--port", "0", other}, no_option},
           {{"--database=postgresql://u:MfKQ9r8@localhost/x"}, no_option},
           {{"--share-port", "0", other}, no_option},
           {{"--grace", "x"}, "the grace period is not a number from 0 to 3600\n"},
           {{"--grace"}, no_option},
           {{"--save-refused"}, no_option}}) {
    std::vector<std::string> command{RECEIVER};
    command.insert(command.end(), arguments.begin(), arguments.end());
    Process process(test_secret, command, log);
    CHECK(process.wait() == 2);
    CAPTURE(message);
    CHECK(process.log().find("receiver: " + message) == 0);
    CHECK(process.log().find("MfKQ9r8") == std::string::npos);
    CHECK(process.log().find("listening") == std::string::npos);
  }
}

TEST_CASE("--help explains the options") {
  const Folder folder;
  Process help("", {RECEIVER, "--help"}, folder.path / "log");
  CHECK(help.wait() == 0);
  CHECK(help.log().find("usage: ") == 0);
  for (const char* option :
       {"\n  port ", "\n  --grace SECONDS ", "\n  --handler-limit ", "\n  --save-refused FILE "}) {
    CHECK(count(help.log(), option) == 1);
  }
}

TEST_CASE("an IPv6 address is in brackets in the URL that it prints") {
  const Sqlite database;
  Receiver::Options options;
  options.address = "::1";
  std::unique_ptr<Receiver> receiver;
  try {
    receiver = std::make_unique<Receiver>(database.where(), log_in(database), options);
  } catch (const std::exception& e) {
    WARN("skipped, without IPv6: " << e.what());
    return;
  }
  CHECK(receiver->url == "[::1]:" + std::to_string(receiver->port));
  httplib::Client client("http://" + receiver->url);
  const std::string body = event("whe_1");
  const auto result = client.Post("/webhooks", signed_headers(body), body, "application/json");
  REQUIRE(result);
  CHECK(result->status == 200);
}

TEST_CASE("with --save-refused, a few refused requests are saved") {
  const Sqlite database;
  const std::string path = (database.folder.path / "refused").string();
  const std::string body = event("whe_1"), spoilt = body + "\r\n\n";
  {
    const Receiver receiver(database.where(), log_in(database));
    CHECK(post(receiver.port, spoilt, signed_headers(body)) == 401);
  }
  CHECK_FALSE(fs::exists(path + ".signed.1"));
  Receiver::Options options;
  options.more = {"--save-refused", path};
  const Receiver receiver(database.where(), log_in(database), options);
  const auto headers = signed_headers(body);
  CHECK(post(receiver.port, spoilt, headers) == 401);
  const std::string text = contents(path + ".signed.1");
  CHECK(count(text, "\n\n" + spoilt) == 1);
  CHECK(text.substr(text.size() - spoilt.size()) == spoilt);
  const std::string lines = '\n' + text.substr(0, text.size() - spoilt.size() - 1);
  for (const auto& [name, value] : headers) CHECK(count(lines, '\n' + name + ": " + value + '\n') == 1);
  CHECK(count(lines, "\nContent-Type: application/json\n") == 1);

  // A request that is accepted, or refused for another reason, is not saved.
  CHECK(deliver(receiver.port, body) == 200);
  CHECK(deliver(receiver.port, std::string(2 << 20, ' ')) == 413);
  CHECK(post(receiver.port, "", signed_headers("", std::string(1001, 'i'))) == 431);
  CHECK_FALSE(fs::exists(path + ".signed.2"));

  // Strangers cannot push it out, with or without signature headers.
  for (int i = 0; i < 100; ++i) {
    CHECK(post(receiver.port, "scan " + std::to_string(i), {}) == 401);
    CHECK(post(receiver.port, "forged " + std::to_string(i), headers) == 401);
  }
  CHECK(contents(path + ".signed.1") == text);
  std::size_t files = 0;
  for (const auto& file : fs::directory_iterator(database.folder.path)) {
    if (file.path().string().compare(0, path.size(), path) != 0) continue;
    ++files;
    CHECK((fs::status(file).permissions() & fs::perms(0777)) == fs::perms(0600));
  }
  CHECK(files <= 16);
  for (const int i : {1, 2, 3, 4}) {
    CHECK(count(contents(path + ".unsigned." + std::to_string(i)), "\n\nscan " + std::to_string(i - 1)) == 1);
    if (i > 1)
      CHECK(count(contents(path + ".signed." + std::to_string(i)), "\n\nforged " + std::to_string(i - 2)) == 1);
  }
  // The latest one is there too, and a slot that was freed is used again.
  REQUIRE(eventually([&] {
    post(receiver.port, "late", headers);
    for (const int i : {5, 6, 7, 8}) {
      if (count(contents(path + ".signed." + std::to_string(i)), "\n\nlate") == 1) return true;
    }
    return false;
  }));
  fs::remove(path + ".signed.2");
  CHECK(post(receiver.port, "next", headers) == 401);
  CHECK(count(contents(path + ".signed.2"), "\n\nnext") == 1);
}

TEST_CASE("a request that cannot be saved is refused as usual, and logged once a second at most") {
  const Sqlite database;
  const fs::path in_the_way = database.folder.path / "refused.signed.part";
  fs::create_directory(in_the_way);
  std::ofstream(in_the_way / "file") << "x";
  Receiver::Options options;
  const std::string too_long(300, 'x');
  options.more = {"--save-refused", GENERATE_COPY(as<std::string>(), "refused", "nowhere/x", too_long)};
  options.more[1].insert(0, database.folder.path.string() + '/');
  const Receiver receiver(database.where(), log_in(database), options);
  const auto begin = std::chrono::steady_clock::now();
  for (int i = 0; i < 15; ++i) CHECK(post(receiver.port, "forged", signed_headers(event("whe_1"))) == 401);
  CHECK(receiver.logs("cannot save"));
  const auto took = std::chrono::duration_cast<std::chrono::seconds>(std::chrono::steady_clock::now() - begin);
  CHECK(static_cast<long>(count(receiver.log(), "cannot save")) <= took.count() + 1);
  CHECK(count(receiver.log(), "a connection has failed") == 0);
  CHECK(deliver(receiver.port, event("whe_1")) == 200);
}

TEST_CASE("a request is not saved through a link or pipe of another user") {
  const Sqlite database;
  const fs::path folder = database.folder.path, theirs = folder / "theirs", ours = folder / "ours";
  const fs::path victim = ours / "victim", part = theirs / "refused.signed.part";
  for (const auto& each : {theirs, ours}) fs::create_directory(each);
  std::ofstream(victim) << "victim";
  if (GENERATE(false, true)) {
    fs::create_symlink(victim, part);
  } else {
    REQUIRE(mkfifo(part.c_str(), 0666) == 0);
    fs::permissions(part, fs::perms::all);
  }
  // The file cannot be removed, since the folder is not ours. That would not stop root, so root becomes nobody.
  Receiver::Options options;
  options.program = folder / "receiver";
  if (geteuid() == 0) options.user = "nobody";
  fs::copy_file(RECEIVER, options.program);
  fs::permissions(folder, fs::perms(0755));
  for (const auto& each : {ours, victim}) fs::permissions(each, fs::perms::all);
  fs::permissions(theirs, fs::perms(0555));
  options.more = {"--save-refused", theirs / "refused"};
  {
    const Receiver receiver((ours / "events.db").string(), folder / "log", options);
    CHECK(post(receiver.port, "forged", signed_headers(event("whe_1"))) == 401);
    CHECK(receiver.logs("cannot save the request in "));
    CHECK(deliver(receiver.port, event("whe_1")) == 200);
  }
  CHECK(contents(victim) == "victim");
  fs::permissions(theirs, fs::perms(0755));  // so that it can be removed
}

TEST_CASE("a partly written request is not saved") {
  const Sqlite database;
  const std::string path = (database.folder.path / "refused").string();
  Receiver::Options options;
  options.more = {"--save-refused", path};
  const Receiver receiver(database.where(), log_in(database), options);
  receiver.limit_files(2000);  // which shows only when the file is closed
  CHECK(post(receiver.port, std::string(2500, 'x'), signed_headers("")) == 401);
  CHECK(receiver.logs("cannot save the request in "));
  CHECK_FALSE(fs::exists(path + ".signed.1"));
}

#ifdef WITH_POSTGRES
TEST_CASE("a signal that arrives while it connects to the database is not lost") {
  const Folder folder;
  int database = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);  // which does not answer
  sockaddr_in address{};
  socklen_t size = sizeof address;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_family = AF_INET;
  REQUIRE(bind(database, reinterpret_cast<const sockaddr*>(&address), size) == 0);
  REQUIRE(listen(database, 9) == 0);
  REQUIRE(getsockname(database, reinterpret_cast<sockaddr*>(&address), &size) == 0);
  const std::string where =
      "host=127.0.0.1 user=x sslmode=disable port=" + std::to_string(ntohs(address.sin_port));
  Process receiver(test_secret, {RECEIVER, "0", where}, folder.path / "log");
  const int connection = accept(database, nullptr, nullptr);
  REQUIRE(connection >= 0);
  for (const int signal : {SIGHUP, SIGTERM}) receiver.signal(signal);
  close(connection);
  close(database);
  CHECK(receiver.wait() == 0);
}
#endif

TEST_CASE("a signal to stop lets it finish requests in flight") {
  const Sqlite database;
  const int signal = GENERATE(SIGTERM, SIGINT);
  Receiver receiver(database.where(), log_in(database));
  std::vector<std::string> bodies;
  std::vector<std::unique_ptr<Connection>> connections;
  for (int i = 0; i < 8; ++i) {
    const std::string& body = bodies.emplace_back(event("whe_" + std::to_string(i)));
    auto& connection = connections.emplace_back(std::make_unique<Connection>(receiver.port));
    connection->send(head(body, length_of(body) + "\r\nExpect: 100-continue"));
    REQUIRE(connection->read("\r\n\r\n") == "HTTP/1.1 100 Continue\r\n\r\n");
  }
  Connection idle(receiver.port), fresh(receiver.port), late(receiver.port);
  idle.send("GET /healthz HTTP/1.1\r\n\r\n").answer();
  receiver.signal(signal);
  const std::string last = event("whe_8");
  CHECK(late.send(head(last, length_of(last)) + last).read().compare(0, 13, "HTTP/1.1 200 ") == 0);
  REQUIRE(eventually([&] { return !Connection(receiver.port).connected; }));
  CHECK(eventually([&] { return idle.has_ended() && fresh.has_ended(); }));
  for (std::size_t i = 0; i < connections.size(); ++i) {
    CHECK(connections[i]->send(bodies[i]).read().compare(0, 13, "HTTP/1.1 200 ") == 0);
  }
  CHECK(receiver.wait() == 0);
  CHECK(database.query("SELECT count(*) FROM webhook_events") == "9\n");
  const Receiver next(database.where(), log_in(database));
  REQUIRE(eventually([&] { return all_handled(database); }));
  CHECK(database.query("SELECT count(*) FROM notes") == "9\n");
}

TEST_CASE("send signs each body and prints the answers") {
  const Sqlite database;
  Receiver receiver(database.where(), log_in(database));
  const std::string port = std::to_string(receiver.port), url = "http://127.0.0.1:" + port + "/webhooks";
  const std::string good = FIXTURES_DIR "/../../examples/payloads/session.status_idled.json",
                    log = database.folder.path / "send.log";
  const std::string bad = (database.folder.path / "bad.json").string();
  std::ofstream(bad) << "{}";

  struct Case {
    std::string secrets;
    std::vector<std::string> arguments;
    int status;
    std::string output;
  };
  const std::string usage =
      "send: usage: send [--tamper] [--age SECONDS] [--retry SECONDS] URL[,URL...] EVENT...\n";
  for (const auto& [secrets, arguments, status, output] :
       std::vector<Case>{{test_secret, {url, good, good}, 0, good + ": 200\n" + good + ": 200\n"},
                         {test_secret + "," + old_secret, {port, good}, 0, good + ": 200\n"},
                         {test_secret, {"--tamper", port, good}, 1, good + ": 401\n"},
                         {test_secret, {"--tamper", "--retry", "0", port, good}, 1, good + ": 401 401 401\n"},
                         {test_secret, {"--retry", "0", port, good}, 0, good + ": 200\n"},
                         {old_secret, {port, good}, 1, good + ": 401\n"},
                         {test_secret, {port, bad, good}, 0, bad + ": 200\n" + good + ": 200\n"},
                         {test_secret, {url + "/x", good}, 1, good + ": 404\n"},
                         {test_secret, {port}, 2, usage},
                         {test_secret, {"--other", port, good}, 2, usage},
                         {"", {port, good}, 2, "send: ANTHROPIC_WEBHOOK_SIGNING_KEY is not set\n"}}) {
    std::vector<std::string> command{SEND};
    command.insert(command.end(), arguments.begin(), arguments.end());
    Process process(secrets, command, log);
    CHECK(process.wait() == status);
    CHECK(process.log() == output);
  }
  const std::string id = id_of(contents(good));
  CHECK(database.query("SELECT count(*) FROM webhook_events WHERE id = '" + id + "'") == "1\n");
  CHECK(database.query("SELECT count(*) FROM webhook_events") == "2\n");

  Process in_turn(test_secret, {SEND, "--retry", "0", url + "," + url + "/x", good, good, good, good}, log);
  CHECK(in_turn.wait() == 0);
  CHECK(count(in_turn.log(), ": 404 200\n") >= 1);  // the two URLs take turns at being first

  receiver.signal(SIGTERM);
  REQUIRE(receiver.wait() == 0);
  Process unanswered(test_secret, {SEND, url, good}, log);
  CHECK(unanswered.wait() == 1);
}
