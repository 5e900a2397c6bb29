// SPDX-License-Identifier: MIT
// Runs the examples `receiver` and `send` as processes, over loopback, and looks into the database.
#include <anthropic/webhooks/verify.hpp>

#include "catch.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <httplib.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iostream>
#include <iterator>
#include <memory>
#include <set>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace webhooks = anthropic::webhooks;
namespace fs = std::filesystem;
using namespace std::chrono_literals;

namespace {

const std::string secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const std::string old_secret = "whsec_C2VsBQIhrscChlQIMV+b5sSYspob7oD+";

/// Waits for what another process does: long, for a slow machine, but not for ever.
bool eventually(const std::function<bool()>& condition) {
  for (const auto end = std::chrono::steady_clock::now() + 3min; std::chrono::steady_clock::now() < end;) {
    if (condition()) return true;
    std::this_thread::sleep_for(5ms);
  }
  return false;
}

std::string contents(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::size_t count(std::string_view text, std::string_view wanted) {
  std::size_t n = 0;
  for (auto at = text.find(wanted); at != std::string_view::npos; at = text.find(wanted, at + 1)) ++n;
  return n;
}

struct Folder {
  Folder() {
    std::string name = (fs::temp_directory_path() / "receiver_test.XXXXXX").string();
    if (!mkdtemp(name.data())) throw std::runtime_error("no temporary folder");
    path = name;
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder() {
    std::error_code ignored;
    fs::remove_all(path, ignored);
  }

  fs::path path;
};

/// A child process, which does not outlive this object. Both its outputs go to the file `log`.
class Process {
 public:
  Process(const std::string& secrets, std::vector<std::string> command, fs::path log) : log_(std::move(log)) {
    std::vector<char*> arguments;
    for (auto& argument : command) arguments.push_back(argument.data());
    arguments.push_back(nullptr);
    fs::remove(log_);  // that of an earlier process
    pid_ = fork();
    if (pid_ < 0) throw std::runtime_error("no fork");
    if (pid_ == 0) {
#ifdef __linux__
      prctl(PR_SET_PDEATHSIG, SIGKILL);  // also where this test is killed
#endif
      const int out = open(log_.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
      dup2(out, STDOUT_FILENO);
      dup2(out, STDERR_FILENO);
      if (secrets.empty()) {
        unsetenv("ANTHROPIC_WEBHOOK_SIGNING_KEY");
      } else {
        setenv("ANTHROPIC_WEBHOOK_SIGNING_KEY", secrets.c_str(), 1);
      }
      execv(arguments[0], arguments.data());
      _exit(127);
    }
  }
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;
  ~Process() {
    if (pid_ > 0) {
      signal(SIGKILL);
      wait();
    }
  }

  void signal(int number) const { kill(pid_, number); }

  /// The exit status, or minus the signal that ended it.
  int wait() {
    int status = 0;
    const bool ended = eventually([&] { return waitpid(pid_, &status, WNOHANG) == pid_; });
    if (!ended) return -1000;
    pid_ = 0;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  }

  [[nodiscard]] std::string log() const { return contents(log_); }

 private:
  fs::path log_;
  pid_t pid_ = 0;
};

class Receiver : public Process {
 public:
  explicit Receiver(const Folder& folder, const std::string& secrets = secret)
      : Process(secrets, {RECEIVER, "0", (folder.path / "events.db").string()}, folder.path / "receiver.log") {
    const std::string before = "listening on http://127.0.0.1:", after = "/webhooks\n";
    std::string text;
    REQUIRE(eventually([&] { return (text = log()).find(after) != std::string::npos; }));
    REQUIRE(text.compare(0, before.size(), before) == 0);
    port = std::stoi(text.substr(before.size()));
  }

  int port = 0;
};

/// The first column of what `sql` gives, a line a row.
std::string query(const Folder& folder, const std::string& sql) {
  sqlite3* opened = nullptr;
  sqlite3_open((folder.path / "events.db").c_str(), &opened);
  const std::unique_ptr<sqlite3, int (*)(sqlite3*)> db(opened, sqlite3_close);
  sqlite3_busy_timeout(opened, 60'000);
  std::string text;
  const auto append = [](void* to, int, char** values, char**) {
    *static_cast<std::string*>(to) += std::string(values[0] ? values[0] : "NULL") + '\n';
    return 0;
  };
  if (sqlite3_exec(opened, sql.c_str(), append, &text, nullptr) != SQLITE_OK) {
    throw std::runtime_error(sql + ": " + sqlite3_errmsg(opened));
  }
  return text;
}

bool all_handled(const Folder& folder) {
  return query(folder, "SELECT count(*) FROM events WHERE handled_at IS NULL") == "0\n";
}

std::string event(const std::string& id, const std::string& type = "session.status_idled") {
  return R"({"id":")" + id + R"(","created_at":"2026-03-15T10:00:00Z","data":{"id":"sesn_1",)" +
         R"("organization_id":"org_1","type":")" + type + R"(","workspace_id":"wrkspc_1"},"type":"event"})";
}

httplib::Headers signed_headers(const std::string& body, const std::string& with = secret,
                                std::chrono::seconds age = 0s) {
  const auto at = std::chrono::system_clock::now() - age;
  return {{"Webhook-Id", "msg_1"},
          {"Webhook-Timestamp", std::to_string(std::chrono::system_clock::to_time_t(at))},
          {"Webhook-Signature", webhooks::WebhookVerifier(with).sign("msg_1", at, body)}};
}

/// The status of the answer, or 0 where there is none.
int post(int port, const std::string& body, const httplib::Headers& headers) {
  httplib::Client client("127.0.0.1", port);
  client.set_read_timeout(180);
  const auto result = client.Post("/webhooks", headers, body, "application/json");
  return result ? result->status : 0;
}

int deliver(int port, const std::string& body) { return post(port, body, signed_headers(body)); }

/// A connection to send by hand on.
class Connection {
 public:
  explicit Connection(int port) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    fcntl(socket_, F_SETFD, FD_CLOEXEC);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected = connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection() { close(socket_); }

  Connection& send(std::string_view text) {
    ::send(socket_, text.data(), text.size(), MSG_NOSIGNAL);
    return *this;
  }
  Connection& end_of_input() {
    shutdown(socket_, SHUT_WR);
    return *this;
  }

  /// Reads until the text ends with `last`, or the connection does.
  std::string read(std::string_view last = "\n\n\n") {
    std::string text;
    for (char c = 0; recv(socket_, &c, 1, 0) == 1;) {
      text += c;
      if (text.size() >= last.size() && text.compare(text.size() - last.size(), last.size(), last) == 0) break;
    }
    return text;
  }

  bool connected = false;

 private:
  int socket_;
};

std::string head(const std::string& body, const std::string& more, const std::string& request = "POST /webhooks") {
  std::string text = request + " HTTP/1.1\r\nHost: localhost\r\n";
  for (const auto& [name, value] : signed_headers(body)) text += name + ": " + value + "\r\n";
  return text + more + "\r\n\r\n";
}

std::string length_of(std::string_view body) { return "Content-Length: " + std::to_string(body.size()); }

/// The status of the answer to one request, or "" where there is none.
std::string status_of(int port, const std::string& request) {
  return Connection(port).send(request).read().substr(0, 12).erase(0, 9);
}

std::string hex(std::size_t number) {
  std::ostringstream text;
  text << std::hex << number;
  return text.str();
}

template <class F>
void in_threads(std::size_t n, F f) {
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < n; ++i) threads.emplace_back(f, i);
  for (auto& thread : threads) thread.join();
}

}  // namespace

TEST_CASE("each delivery gets the status that it should") {
  const Folder folder;
  Receiver receiver(folder);
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
  CHECK(post(port, body, signed_headers(body, old_secret)) == 401);
  CHECK(post(port, body, signed_headers(body, secret, 1h)) == 401);
  CHECK(post(port, body, signed_headers(body, secret, -1h)) == 401);
  CHECK(deliver(port, "") == 400);
  CHECK(deliver(port, "{}") == 400);
  CHECK(deliver(port, body.substr(1)) == 400);

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

  CHECK(query(folder, "SELECT id || ' ' || type || ' ' || created_at FROM events ORDER BY id") ==
        "whe_1 session.status_idled 2026-03-15T10:00:00Z\nwhe_2 workflow.published 2026-03-15T10:00:00Z\n");
  CHECK(query(folder, "SELECT body FROM events WHERE id = 'whe_2'") ==
        event("whe_2", "workflow.published") + '\n');
  REQUIRE(eventually([&] { return all_handled(folder); }));
  CHECK(query(folder, "SELECT note FROM notes ORDER BY event_id") ==
        "session sesn_1 is idle\nworkflow.published sesn_1\n");
}

TEST_CASE("what is no whole request is not recorded") {
  const Folder folder;
  Receiver receiver(folder);
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
  CHECK(query(folder, "SELECT count(*) FROM events") == "0\n");

  CHECK(status_of(port, head(body, chunked) + "1\r\n{\r\n80\r\n" + body.substr(1, 128) + "\r\n" +
                            hex(body.size() - 129) + "\r\n" + body.substr(129) + "\r\n0\r\n\r\n") == "200");
  CHECK(query(folder, "SELECT body FROM events") == body + '\n');
}

TEST_CASE("the log has one line a delivery, without secrets and control characters") {
  const Folder folder;
  Receiver receiver(folder);
  const std::string lines = receiver.log();
  CHECK(deliver(receiver.port, event(R"(\u001b[31mred\r\n\u0000 200 \u00e9)", R"(forged\nline)")) == 200);
  CHECK(post(receiver.port, event("whe_1"), signed_headers("other")) == 401);
  CHECK(status_of(receiver.port, head("", "Content-Length: 0", "POST /%0a%1b")) == "404");
  const std::string log = receiver.log();
  CHECK(count(log, "\n") == count(lines, "\n") + 3);
  for (const char c : log) CHECK((c == '\n' || (c >= ' ' && c <= '~')));
  CHECK(log.find("?[31mred??? 200 ?? forged?line\n") != std::string::npos);
  CHECK(log.find(secret.substr(6)) == std::string::npos);
}

TEST_CASE("while secrets are rotated, any of them may have signed") {
  const Folder folder;
  Receiver receiver(folder, old_secret + ',' + secret);
  CHECK(post(receiver.port, event("whe_1"), signed_headers(event("whe_1"), secret)) == 200);
  CHECK(post(receiver.port, event("whe_2"), signed_headers(event("whe_2"), old_secret)) == 200);
  CHECK(post(receiver.port, event("whe_3"), signed_headers(event("whe_3"), "C2FVsBQIhrscChlQIMV+b5sSYspob7oD")) ==
        401);
}

TEST_CASE("it refuses to start without good secrets, and on a port that is taken") {
  const Folder folder;
  const fs::path log = folder.path / "log";
  const std::string database = (folder.path / "events.db").string();
  for (const std::string& secrets : {std::string(), std::string("whsec_"), std::string("whsec_sec*ret"),
                                     secret + ", " + old_secret, secret + ",,", "v1," + secret}) {
    CAPTURE(secrets);
    Process process(secrets, {RECEIVER, "0", database}, log);
    CHECK(process.wait() == 2);
    CHECK(process.log().find("webhook secret: ") != std::string::npos);
    CHECK(process.log().find("ANTHROPIC_WEBHOOK_SIGNING_KEY") != std::string::npos);
    CHECK(process.log().find("listening") == std::string::npos);
    CHECK(process.log().find("MfKQ9r8") == std::string::npos);
  }
  CHECK_FALSE(fs::exists(database));

  const Receiver receiver(folder);
  for (const std::vector<std::string>& command :
       {std::vector<std::string>{RECEIVER, std::to_string(receiver.port), (folder.path / "other.db").string()},
        {RECEIVER, "port"},
        {RECEIVER, "70000", (folder.path / "other.db").string()},
        {RECEIVER, "0", (folder.path / "nowhere" / "other.db").string()}}) {
    Process process(secret, command, log);
    CHECK(process.wait() == 2);
    CHECK(process.log().find("listening") == std::string::npos);
  }
}

TEST_CASE("the same event on several connections at the same moment is handled once") {
  const Folder folder;
  Receiver receiver(folder);
  constexpr int events = 25;
  constexpr std::size_t connections = 8;
  std::atomic<int> at_start{0}, good{0};
  in_threads(connections, [&](std::size_t) {
    for (int i = 0; i < events; ++i) {
      const std::string body = event("whe_" + std::to_string(i));
      ++at_start;
      while (at_start < (i + 1) * static_cast<int>(connections)) std::this_thread::yield();
      if (deliver(receiver.port, body) == 200) ++good;
    }
  });
  CHECK(good == events * static_cast<int>(connections));
  CHECK(count(receiver.log(), "recorded") == events);
  CHECK(count(receiver.log(), "duplicate") == events * (connections - 1));
  REQUIRE(eventually([&] { return all_handled(folder); }));
  CHECK(query(folder, "SELECT count(*) FROM events") == "25\n");
  CHECK(query(folder, "SELECT count(*) || ' ' || count(DISTINCT event_id) FROM notes") == "25 25\n");
}

TEST_CASE("a signal to stop lets it finish what is in flight") {
  const Folder folder;
  const int signal = GENERATE(SIGTERM, SIGINT);
  Receiver receiver(folder);
  std::vector<std::string> bodies;
  std::vector<std::unique_ptr<Connection>> connections;
  for (int i = 0; i < 8; ++i) {
    const std::string& body = bodies.emplace_back(event("whe_" + std::to_string(i)));
    auto& connection = connections.emplace_back(std::make_unique<Connection>(receiver.port));
    connection->send(head(body, length_of(body) + "\r\nExpect: 100-continue"));
    REQUIRE(connection->read("\r\n\r\n") == "HTTP/1.1 100 Continue\r\n\r\n");
  }
  receiver.signal(signal);
  std::size_t sent = 0;
  REQUIRE(eventually([&] {
    // A byte now and then keeps the connections from being given up.
    if (++sent < 100) {
      for (std::size_t i = 0; i < connections.size(); ++i) connections[i]->send(bodies[i].substr(sent - 1, 1));
    } else {
      --sent;
    }
    std::this_thread::sleep_for(20ms);
    return !Connection(receiver.port).connected;
  }));
  for (std::size_t i = 0; i < connections.size(); ++i) {
    connections[i]->send(bodies[i].substr(sent));
    CHECK(connections[i]->read().compare(0, 13, "HTTP/1.1 200 ") == 0);
  }
  CHECK(receiver.wait() == 0);
  CHECK(query(folder, "SELECT count(*) FROM events") == "8\n");
  CHECK(query(folder, "SELECT count(*) FROM notes") == "8\n");
}

TEST_CASE("what was recorded but not handled is handled after the start, and what fails is tried again") {
  const Folder folder;
  {
    Receiver receiver(folder);
    receiver.signal(SIGTERM);
    REQUIRE(receiver.wait() == 0);
  }
  const auto record = [&](const std::string& id, const std::string& body) {
    query(folder, "INSERT INTO events VALUES('" + id + "', 't', 'c', '" + body + "', 'r', NULL)");
  };
  record("whe_1", event("whe_1"));
  record("whe_2", "broken");
  record("whe_3", event("whe_3", "workflow.published"));

  Receiver receiver(folder);
  REQUIRE(eventually([&] { return query(folder, "SELECT count(*) FROM notes") == "2\n"; }));
  CHECK(query(folder, "SELECT event_id FROM notes ORDER BY event_id") == "whe_1\nwhe_3\n");
  CHECK(query(folder, "SELECT id FROM events WHERE handled_at IS NULL") == "whe_2\n");
  REQUIRE(eventually([&] { return receiver.log().find("not handled: not JSON") != std::string::npos; }));

  query(folder, "UPDATE events SET body = '" + event("whe_2") + "' WHERE id = 'whe_2'");
  REQUIRE(eventually([&] { return all_handled(folder); }));
  CHECK(query(folder, "SELECT event_id FROM notes ORDER BY event_id") == "whe_1\nwhe_2\nwhe_3\n");
}

TEST_CASE("while the database fails, the service is told to send again") {
  const Folder folder;
  Receiver receiver(folder);
  query(folder, "ALTER TABLE events RENAME TO away");
  CHECK(deliver(receiver.port, event("whe_1")) == 503);
  query(folder, "ALTER TABLE away RENAME TO events");
  CHECK(deliver(receiver.port, event("whe_1")) == 200);

  query(folder, "CREATE TRIGGER refuse BEFORE INSERT ON notes BEGIN SELECT RAISE(FAIL, 'refused'); END");
  CHECK(deliver(receiver.port, event("whe_2")) == 200);
  REQUIRE(eventually([&] { return receiver.log().find("not handled: database: refused") != std::string::npos; }));
  CHECK(query(folder, "SELECT count(*) FROM events WHERE id = 'whe_2' AND handled_at IS NULL") == "1\n");
  query(folder, "DROP TRIGGER refuse");
  REQUIRE(eventually([&] { return all_handled(folder); }));
  CHECK(query(folder, "SELECT event_id FROM notes ORDER BY event_id") == "whe_1\nwhe_2\n");
}

TEST_CASE("kill -9 in the middle of 3000 deliveries loses none and repeats none") {
  const Folder folder;
  constexpr std::size_t deliveries = 3000;
  const auto name = [](std::size_t i) { return "whe_" + std::to_string(10000 + i); };
  std::vector<std::atomic<int>> acknowledged(deliveries);
  std::size_t before_kill = 0, handled = 0, recovered = 0, repeated = 0;
  const auto start = std::chrono::steady_clock::now();

  for (const std::size_t kill_at : {800u, 1600u, 2400u, 0u}) {
    Receiver receiver(folder);
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
      REQUIRE(eventually([&] { return all_handled(folder); }));
      receiver.signal(SIGTERM);
      REQUIRE(receiver.wait() == 0);
      repeated += count(receiver.log(), "duplicate") - deliveries / 10;
    } else {
      REQUIRE(receiver.wait() == -SIGKILL);
      before_kill = done;
      repeated += count(receiver.log(), "duplicate");
      recovered += std::stoul(query(folder, "SELECT count(*) FROM events WHERE handled_at IS NULL"));
      handled = std::stoul(query(folder, "SELECT count(*) FROM notes"));
      std::set<std::string> recorded;
      std::istringstream rows(query(folder, "SELECT id FROM events"));
      for (std::string id; std::getline(rows, id);) recorded.insert(id);
      for (std::size_t i = 0; i < deliveries; ++i) {
        if (acknowledged[i] == 1 && recorded.count(name(i)) == 0) FAIL(name(i) << " was acknowledged and is lost");
      }
    }
  }

  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  std::cout << deliveries << " deliveries on 6 connections, 3 times kill -9: at the last one " << before_kill
            << " were acknowledged and " << handled << " handled; " << recovered
            << " were left to the next starts to handle, " << repeated << " came again, in all " << took.count()
            << " s" << std::endl;
  for (const auto& a : acknowledged) CHECK(a == 1);
  CHECK(query(folder, "SELECT count(*) FROM events") == "3000\n");
  CHECK(query(folder, "SELECT count(*) FROM notes") == "3000\n");
  CHECK(query(folder, "SELECT count(DISTINCT event_id) FROM notes") == "3000\n");
  CHECK(query(folder, "PRAGMA integrity_check") == "ok\n");
}

TEST_CASE("send signs each body and prints the answers") {
  const Folder folder;
  Receiver receiver(folder);
  const std::string port = std::to_string(receiver.port), url = "http://127.0.0.1:" + port + "/webhooks";
  const std::string good = FIXTURES_DIR "/session.created.json", log = folder.path / "send.log";
  const std::string bad = (folder.path / "bad.json").string();
  std::ofstream(bad) << "{}";

  struct Case {
    std::string secrets;
    std::vector<std::string> arguments;
    int status;
    std::string output;
  };
  for (const auto& [secrets, arguments, status, output] :
       std::vector<Case>{{secret, {url, good, good}, 0, good + ": 200\n" + good + ": 200\n"},
                         {secret + "," + old_secret, {port, good}, 0, good + ": 200\n"},
                         {secret, {"--tamper", port, good}, 1, good + ": 401\n"},
                         {old_secret, {port, good}, 1, good + ": 401\n"},
                         {secret, {port, bad, good}, 1, bad + ": 400\n" + good + ": 200\n"},
                         {secret, {url + "/x", good}, 1, good + ": 404\n"},
                         {secret, {port}, 2, "send: usage: send [--tamper] URL file...\n"},
                         {secret, {port, "nowhere"}, 2, "send: cannot read nowhere\n"},
                         {"", {port, good}, 2, "send: webhook secret: it is empty\n"}}) {
    std::vector<std::string> command{SEND};
    command.insert(command.end(), arguments.begin(), arguments.end());
    Process process(secrets, command, log);
    CHECK(process.wait() == status);
    CHECK(process.log() == output);
  }
  receiver.signal(SIGTERM);
  REQUIRE(receiver.wait() == 0);
  Process unanswered(secret, {SEND, url, good}, log);
  CHECK(unanswered.wait() == 1);
}
