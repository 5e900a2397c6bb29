// SPDX-License-Identifier: MIT
// Runs the examples `receiver` and `send` as processes, over loopback: what is answered, and how they start and
// stop.
#include "../catch.hpp"
#include "databases.hpp"
#include "deliveries.hpp"

#include <sys/stat.h>

#include <atomic>
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
  CHECK(receiver.log().find("200 POST /webhooks  recorded whe_1 session.status_idled\n") != std::string::npos);
  CHECK(receiver.log().find("200 POST /webhooks  duplicate whe_1 session.status_idled\n") != std::string::npos);
  CHECK(receiver.log().find("200 POST /webhooks  recorded whe_2 workflow.published\n") != std::string::npos);

  const std::string body = event("whe_no");
  CHECK(post(port, body, {}) == 401);
  CHECK(post(port, body + " ", signed_headers(body)) == 401);
  CHECK(post(port, body, signed_headers(body, "whe_no", old_secret)) == 401);
  CHECK(post(port, body, signed_headers(body, "whe_no", test_secret, 1h)) == 401);
  CHECK(post(port, body, signed_headers(body, "whe_no", test_secret, -1h)) == 401);
  CHECK(post(port, body, signed_headers(body, "whe." + body)) == 401);
  CHECK(post(port, body, signed_headers(body, std::string(1001, 'i'))) == 431);

  const std::string large(2 << 20, ' ');
  CHECK(deliver(port, large) == 413);
  CHECK(deliver(port, body + std::string((1 << 20) - body.size() + 1, ' ')) == 413);
  CHECK(status_of(port, head(large, "Transfer-Encoding: chunked") + "200000\r\n" + large + "\r\n0\r\n\r\n") ==
        "413");

  for (const char* method : {"GET", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"}) {
    CAPTURE(method);
    const auto text =
        Connection(port).send(head(body, length_of(body), method + std::string(" /webhooks")) + body).read();
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

TEST_CASE("what is no whole request is not recorded") {
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
  CHECK(status_of(port, head(body, "Content-Length: x") + body) == "401");
  CHECK(status_of(port, head(body, "Content-Length: 5\r\n" + length_of(body)) + body) == "401");
  CHECK(status_of(port, head(body, chunked) + "zz\r\n" + body) == "400");
  CHECK(status_of(port, head(body, "Content-Encoding: gzip\r\n" + length_of(body)) + body) == "400");
  CHECK(status_of(port, head(body, "Content-Type: multipart/form-data; boundary=b\r\n" + length_of(body)) +
                            body) == "400");
  CHECK(status_of(port, head(body, "X-Large: " + std::string(9000, 'x') + "\r\n" + length_of(body)) + body) ==
        "400");
  CHECK(status_of(port, head(body, "Webhook-Id: other\r\n" + length_of(body)) + body) == "401");
  CHECK(status_of(port, "POST /webhooks\r\n\r\n") == "400");
  CHECK(database.query("SELECT count(*) FROM webhook_events") == "0\n");

  CHECK(status_of(port, head(body, chunked) + "1\r\n{\r\n80\r\n" + body.substr(1, 128) + "\r\n" +
                            hex(body.size() - 129) + "\r\n" + body.substr(129) + "\r\n0\r\n\r\n") == "200");
  CHECK(database.query("SELECT body FROM webhook_events") == body + '\n');
}

TEST_CASE("connections that drip their header do not hold up a delivery for good") {
  const Sqlite database;
  Receiver receiver(database.where(), log_in(database));
  std::vector<std::unique_ptr<Connection>> slow;
  for (int i = 0; i < 32; ++i) {  // as many as the receiver has threads
    slow.push_back(std::make_unique<Connection>(receiver.port));
    slow.back()->send("POST /webhooks HTTP/1.1\r\nX-Slow: ");
  }
  std::atomic<bool> answered{false};
  std::thread drip([&] {
    while (!answered) {
      for (const auto& connection : slow) connection->send("x");
      std::this_thread::sleep_for(50ms);
    }
  });
  const int status = deliver(receiver.port, event("whe_1"));
  answered = true;
  drip.join();
  CHECK(status == 200);
}

TEST_CASE("a header without end is cut off, and what is saved of one is bounded") {
  const Sqlite database;
  const fs::path saved = database.folder.path / "refused";
  Receiver::Options options;
  options.more = {"--save-refused", saved.string()};
  Receiver receiver(database.where(), log_in(database), options);
  std::string lines;
  for (int i = 0; i < 64; ++i) lines += "X-" + std::to_string(i) + ": " + std::string(8000, 'x') + "\r\n";
  CHECK(status_of(receiver.port, "POST /webhooks HTTP/1.1\r\n" + lines + "Content-Length: 1\r\n\r\n!") == "401");
  CHECK(fs::file_size(saved) > 65536);
  CHECK(fs::file_size(saved) < 65536 + 10'000);
  CHECK(contents(saved).substr(fs::file_size(saved) - 3) == "\n\n!");

  Connection endless(receiver.port);
  endless.send("POST /webhooks HTTP/1.1\r\n");
  for (int i = 0; i < 20; ++i) endless.send(lines);
  CHECK(endless.read().find(" 401 ") == std::string::npos);
  CHECK(deliver(receiver.port, event("whe_1")) == 200);
}

TEST_CASE("the log has one line a delivery, without secrets and control characters") {
  const Sqlite database;
  Receiver receiver(database.where(), log_in(database));
  const std::string lines = receiver.log();
  const std::string body = event("whe_1", R"(forged\nline)");
  CHECK(post(receiver.port, body, signed_headers(body, "whe_\x1b[31m\xe9 200")) == 200);
  CHECK(post(receiver.port, event("whe_1"), signed_headers("other")) == 401);
  CHECK(status_of(receiver.port, head("", "Content-Length: 0", "POST /%0a%1b")) == "404");
  const std::string log = receiver.log();
  CHECK(count(log, "\n") == count(lines, "\n") + 3);
  for (const char c : log) CHECK((c == '\n' || (c >= ' ' && c <= '~')));
  CAPTURE(log);
  CHECK(log.find(" whe_%1B[31m%E9 200 forged%0Aline\n") != std::string::npos);
  CHECK(log.find("404 POST /%0A%1B  ") != std::string::npos);
  CHECK(log.find(test_secret.substr(6)) == std::string::npos);
}

TEST_CASE("while secrets are rotated, any of them may have signed") {
  const Sqlite database;
  Receiver receiver(database.where(), log_in(database), {old_secret + ',' + test_secret});
  const std::string body = event("whe_1");
  CHECK(post(receiver.port, body, signed_headers(body, "whe_1", test_secret)) == 200);
  CHECK(post(receiver.port, body, signed_headers(body, "whe_2", old_secret)) == 200);
  CHECK(post(receiver.port, body, signed_headers(body, "whe_3", "C2FVsBQIhrscChlQIMV+b5sSYspob7oD")) == 401);
}

TEST_CASE(
    "it refuses to start without good secrets, with options that it does not know, and on a port that is taken") {
  const Sqlite database;
  const fs::path log = database.folder.path / "log";
  const std::string where = database.where(), other = (database.folder.path / "other.db").string();
  for (const std::string& secrets : {std::string(), std::string("whsec_"), std::string("whsec_sec*ret"),
                                     test_secret + ", " + old_secret, test_secret + ",,", "v1," + test_secret}) {
    CAPTURE(secrets);
    Process process(secrets, {RECEIVER, "0", where}, log);
    CHECK(process.wait() == 2);
    CHECK(process.log().find("webhook secret: ") != std::string::npos);
    CHECK(process.log().find("ANTHROPIC_WEBHOOK_SIGNING_KEY") != std::string::npos);
    CHECK(process.log().find("listening") == std::string::npos);
    CHECK(process.log().find("MfKQ9r8") == std::string::npos);
  }
  CHECK_FALSE(fs::exists(where));

  const Receiver receiver(where, log_in(database));
  const std::string taken = std::to_string(receiver.port);
  for (const auto& [arguments, message] : std::vector<std::pair<std::vector<std::string>, std::string>>{
           {{taken, other}, "cannot listen on port " + taken},
           {{"--share-port", taken, other}, "cannot listen on port " + taken},
           {{"port", other}, "not a port: port"},
           {{"8080abc", other}, "not a port: 8080abc"},
           {{"0x50", other}, "not a port: 0x50"},
           {{"+80", other}, "not a port: +80"},
           {{" 80", other}, "not a port:  80"},
           {{"", other}, "not a port: "},
           {{"-1", other}, "not a port: -1"},
           {{"65536", other}, "not a port: 65536"},
           {{"99999999999", other}, "not a port: 99999999999"},
           {{"0", (database.folder.path / "nowhere" / "other.db").string()}, "SQLite: "},
           {{"0", other, "127.0.0.1", "more"}, "unknown argument: more"},
           {{"--port", "0", other}, "unknown argument: --port"},
           {{"--save-refused"}, "unknown argument: --save-refused"}}) {
    std::vector<std::string> command{RECEIVER};
    command.insert(command.end(), arguments.begin(), arguments.end());
    Process process(test_secret, command, log);
    CHECK(process.wait() == 2);
    CHECK(process.log().find("receiver: " + message) == 0);
    CHECK(process.log().find("listening") == std::string::npos);
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

TEST_CASE("a refused request is saved if that is asked for") {
  const Sqlite database;
  const fs::path saved = database.folder.path / "refused";
  const std::string body = event("whe_1"), spoilt = body + "\r\n\n";
  {
    Receiver receiver(database.where(), log_in(database));
    CHECK(post(receiver.port, spoilt, signed_headers(body)) == 401);
    CHECK_FALSE(fs::exists(saved));
  }
  std::ofstream(saved) << "of an earlier time";
  chmod(saved.c_str(), 0644);
  Receiver::Options options;
  options.more = {"--save-refused", saved.string()};
  Receiver receiver(database.where(), log_in(database), options);
  const auto headers = signed_headers(body);
  CHECK(post(receiver.port, spoilt, headers) == 401);
  struct stat status {};
  REQUIRE(stat(saved.c_str(), &status) == 0);
  CHECK((status.st_mode & 0777) == 0600);
  const std::string text = contents(saved);
  const auto blank = text.find("\n\n");
  REQUIRE(blank != std::string::npos);
  CHECK(text.substr(blank + 2) == spoilt);
  const std::string lines = '\n' + text.substr(0, blank + 1);
  for (const auto& [name, value] : headers)
    CHECK(lines.find('\n' + name + ": " + value + '\n') != std::string::npos);
  CHECK(lines.find("\nContent-Type: application/json\n") != std::string::npos);
  CHECK(lines.find("REMOTE") == std::string::npos);

  CHECK(deliver(receiver.port, body) == 200);
  CHECK(deliver(receiver.port, std::string(2 << 20, ' ')) == 413);
  CHECK(contents(saved) == text);

  // A value that holds a line end, which cpp-httplib makes of %0A, cannot forge a line.
  CHECK(post(receiver.port, "", {{"webhook-id", "1%0Awebhook-timestamp: 2"}, {"x-other", "a%b"}}) == 401);
  CHECK(contents(saved).find("webhook-timestamp") == std::string::npos);
  CHECK(contents(saved).find("\nx-other: a%b\n") != std::string::npos);

  std::atomic<bool> whole{true}, done{false};
  std::thread reader([&] {
    while (!done) whole = whole && count(contents(saved), "\n\n" + std::string(1000, 'x') + '!') <= 1;
  });
  in_threads(8, [&](std::size_t) {
    for (int i = 0; i < 25; ++i) post(receiver.port, std::string(1000, 'x') + '!', {});
  });
  done = true;
  reader.join();
  CHECK(whole);
  CHECK(contents(saved).find("\n\n" + std::string(1000, 'x') + '!') == contents(saved).size() - 1003);
}

TEST_CASE("a signal to stop lets it finish what is in flight") {
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
  receiver.signal(signal);
  REQUIRE(eventually([&] { return !Connection(receiver.port).connected; }));
  for (std::size_t i = 0; i < connections.size(); ++i) {
    CHECK(connections[i]->send(bodies[i]).read().compare(0, 13, "HTTP/1.1 200 ") == 0);
  }
  CHECK(receiver.wait() == 0);
  CHECK(database.query("SELECT count(*) FROM webhook_events") == "8\n");
  const Receiver next(database.where(), log_in(database));
  REQUIRE(eventually([&] { return all_handled(database); }));
  CHECK(database.query("SELECT count(*) FROM notes") == "8\n");
}

TEST_CASE("a new receiver takes over a shared port without a failed delivery") {
  const Sqlite database;
  Receiver::Options options;
  options.more = {"--share-port"};
  auto receiver = std::make_unique<Receiver>(database.where(), database.folder.path / "log0", options);
  options.port = receiver->port;

  std::atomic<bool> done{false};
  std::atomic<int> sent{0}, good{0};
  std::thread senders([&] {
    in_threads(6, [&](std::size_t) {
      while (!done) {
        const std::string body = event("whe_" + std::to_string(++sent));
        if (deliver(options.port, body) == 200) ++good;
      }
    });
  });
  std::vector<std::size_t> recorded;
  for (int i = 1; i <= 4; ++i) {
    const int before = good;
    eventually([&] { return good > before + 50; });
    auto next =
        std::make_unique<Receiver>(database.where(), database.folder.path / ("log" + std::to_string(i)), options);
    receiver->signal(SIGTERM);
    CHECK(receiver->wait() == 0);
    recorded.push_back(count(receiver->log(), " recorded "));
    receiver = std::move(next);
  }
  done = true;
  senders.join();
  recorded.push_back(count(receiver->log(), " recorded "));
  CHECK(good == sent);
  for (const auto each : recorded) CHECK(each > 0);
  CHECK(database.query("SELECT count(*) FROM webhook_events") == std::to_string(sent) + '\n');
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
  const std::string usage = "send: usage: send [--tamper] [--retry SECONDS] URL[,URL...] file...\n";
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
                         {test_secret, {port, "nowhere"}, 2, "send: cannot read nowhere\n"},
                         {"", {port, good}, 2, "send: webhook secret: it is empty\n"}}) {
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
  CHECK(count(in_turn.log(), ": 404 200\n") >= 1);  // of two URLs in turn, each is the first for some

  receiver.signal(SIGTERM);
  REQUIRE(receiver.wait() == 0);
  Process unanswered(test_secret, {SEND, url, good}, log);
  CHECK(unanswered.wait() == 1);
}
