// SPDX-License-Identifier: MIT
// What strangers may try on a receiver, on a small scale and over loopback: deliveries and SIGTERM still work.
#include "../catch.hpp"
#include "databases.hpp"
#include "deliveries.hpp"

#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstdio>
#include <fstream>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

namespace {

fs::path log_in(const Sqlite& database) { return database.folder.path / "receiver.log"; }

std::string output_of(const std::string& command) {
  std::string text;
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe(popen(command.c_str(), "r"), pclose);
  for (int c = 0; (c = std::fgetc(pipe.get())) != EOF;) text += static_cast<char>(c);
  return text;
}

#ifdef __SANITIZE_ADDRESS__
constexpr long most_memory = 1000;  // it holds on to freed memory for a while
#else
constexpr long most_memory = 100;
#endif

/// The peak memory of the process in megabytes, or 0 if /proc does not tell.
long peak_memory(const Process& process) {
  const std::string name = "VmHWM:", text = contents("/proc/" + std::to_string(process.pid()) + "/status");
  const auto at = text.find(name);
  return at == std::string::npos ? 0 : std::stol(text.substr(at + name.size())) / 1024;
}

/// The processor time that it took in seconds, or 0 if /proc does not tell.
double processor_time(const Process& process) {
  const std::string text = contents("/proc/" + std::to_string(process.pid()) + "/stat");
  std::istringstream fields(text.empty() ? "" : text.substr(text.rfind(')') + 1));
  std::string ignored;
  for (int i = 0; i < 11; ++i) fields >> ignored;
  double user = 0, system = 0;
  fields >> user >> system;
  return (user + system) / static_cast<double>(sysconf(_SC_CLK_TCK));
}

/// The number of its open sockets, including the one that listens.
long sockets(const Process& process) {
  long n = 0;
  std::error_code ignored;
  for (const auto& file : fs::directory_iterator("/proc/" + std::to_string(process.pid()) + "/fd", ignored)) {
    if (fs::read_symlink(file, ignored).string().compare(0, 7, "socket:") == 0) ++n;
  }
  return n;
}

using Connections = std::vector<std::unique_ptr<Connection>>;

Connections connect(int port, int n, const std::string& text) {
  Connections all;
  for (int i = 0; i < n; ++i) {
    all.push_back(std::make_unique<Connection>(port));
    all.back()->send(text);
  }
  return all;
}

/// Keeps sending one more byte on each connection.
class Drip {
 public:
  explicit Drip(const Connections& connections)
      : thread_([this, &connections] {
          while (!done_) {
            for (const auto& connection : connections) connection->send("x");
            std::this_thread::sleep_for(50ms);
          }
        }) {}
  Drip(const Drip&) = delete;
  Drip& operator=(const Drip&) = delete;
  ~Drip() {
    done_ = true;
    thread_.join();
  }

 private:
  std::atomic<bool> done_{false};
  std::thread thread_;
};

}  // namespace

TEST_CASE("a decompression bomb is not unpacked, and is refused before it is read", "[strangers]") {
  const Sqlite database;
  Receiver receiver(database.where(), log_in(database));
  const std::string bomb = output_of("head -c 100000000 /dev/zero | gzip -9");
  REQUIRE(bomb.size() > 50'000);
  REQUIRE(bomb.size() < (1 << 20));
  in_threads(32, [&](std::size_t i) {
    const std::string coding = i % 2 == 0 ? "Content-Encoding: gzip\r\n" : "Content-Encoding: br\r\n";
    Connection(receiver.port).send(head(bomb, coding + length_of(bomb)) + bomb).answer();
  });
  CHECK(status_of(receiver.port, head(bomb, "Content-Encoding: gzip\r\n" + length_of(bomb)) + bomb) == "415");
  CHECK(status_of(receiver.port, head("", length_of(bomb)) + bomb) == "401");
  CHECK(deliver(receiver.port, event("whe_1")) == 200);
  CHECK(peak_memory(receiver) < most_memory);
  receiver.signal(SIGTERM);
  CHECK(receiver.wait() == 0);
}

TEST_CASE("a header may have 16 kB, however many lines it has", "[strangers]") {
  const Sqlite database;
  const Receiver receiver(database.where(), log_in(database));
  const std::string body = event("whe_1");
  const auto status = [&](const std::string& more) {
    return status_of(receiver.port, head(body, more + length_of(body)) + body);
  };
  CHECK(status("X: " + std::string(15'000, 'x') + "\r\n") == "200");
  CHECK(status("X: " + std::string(17'000, 'x') + "\r\n") == "431");
  std::string lines;
  while (lines.size() < 15'000) lines += "a:\r\n";
  CHECK(status(lines) == "200");
  CHECK(status(lines + lines) == "431");
  CHECK(status_of(receiver.port, "POST /" + std::string(17'000, 'x') + " HTTP/1.1\r\n\r\n") == "431");
  const std::string chunked = head(body, "Transfer-Encoding: chunked");
  for (const char* const start : {"1;", "0\r\nX: "}) {  // the status depends on the version of Boost
    const std::string status_in_body = status_of(receiver.port, chunked + start + std::string(30'000, 'x'));
    CHECK((status_in_body == "431" || status_in_body == "400"));
  }
  CHECK(receiver.logs("431 POST /webhooks  the header is too large\n"));
  // The answer is not lost if more arrives than is ever read.
  CHECK(status_of(receiver.port, "POST /" + std::string(50'000, 'x')) == "431");
  CHECK(count(receiver.log(), "a connection has failed") == 0);

  while (lines.size() < 1'000'000) lines += lines;
  in_threads(8, [&](std::size_t) {
    Connection flood(receiver.port);
    flood.send("POST /webhooks HTTP/1.1\r\n");
    for (int i = 0; i < 8; ++i) flood.send(lines);
  });
  CHECK(deliver(receiver.port, event("whe_2")) == 200);
  CHECK(peak_memory(receiver) < most_memory);
}

TEST_CASE("what follows a body without an end is not read as a request", "[strangers]") {
  const Sqlite database;
  const Receiver receiver(database.where(), log_in(database));
  const std::string smuggled = "GET /healthz HTTP/1.1\r\nConnection: close\r\n\r\n";
  const auto answers = [&](const std::string& request, const std::string& coding, const std::string& body) {
    Connection connection(receiver.port);
    connection.send(request + " HTTP/1.1\r\nTransfer-Encoding: " + coding + "\r\n\r\n" + body + smuggled);
    return count(connection.read(), "HTTP/1.1 ");
  };
  for (const char* request : {"POST /webhooks", "GET /webhooks", "GET /healthz", "POST /healthz", "POST /"}) {
    for (const char* coding : {"gzip", "identity", "chunked, gzip", "x"}) {
      CAPTURE(request, coding);
      CHECK(answers(request, coding, "") == 1);
    }
  }
  CHECK(answers("GET /healthz", "chunked", "0\r\n\r\n") == 2);
}

TEST_CASE("idle or slow connections do not hold up a delivery", "[strangers]") {
  const Sqlite database;
  const Receiver receiver(database.where(), log_in(database));
  const auto idle = connect(receiver.port, 1000, "");
  const auto in_header = connect(receiver.port, 500, "POST /webhooks HTTP/1.1\r\nX-Slow: ");
  const auto in_body = connect(receiver.port, 500, head("", "Content-Length: 1000000"));
  const Drip header(in_header), body(in_body);
  for (int i = 0; i < 50; ++i) CHECK(deliver(receiver.port, event("whe_" + std::to_string(i))) == 200);
  CHECK(peak_memory(receiver) < most_memory);
}

TEST_CASE("a request has ten seconds, even if a byte arrives now and then", "[strangers]") {
  const Sqlite database;
  const Receiver receiver(database.where(), log_in(database));
  auto slow = connect(receiver.port, 5, "POST /webhooks HTTP/1.1\r\nX-Slow: ");
  for (auto& each : connect(receiver.port, 5, head("", "Content-Length: 1000000")))
    slow.push_back(std::move(each));
  for (auto& each : connect(receiver.port, 5, head("", "Transfer-Encoding: chunked") + "1000\r\n")) {
    slow.push_back(std::move(each));
  }
  const auto begin = std::chrono::steady_clock::now();
  const Drip drip(slow);
  for (const auto& each : slow) CHECK(eventually([&] { return each->has_ended(); }));
  CHECK(std::chrono::steady_clock::now() - begin > 5s);
  CHECK(eventually(
      [&] { return count(receiver.log(), "the request was not complete within ten seconds\n") == 15; }));
}

TEST_CASE("clients that never read their answers hold up nobody, and are disconnected", "[strangers]") {
  const Sqlite database;
  const Receiver receiver(database.where(), log_in(database));
  CHECK(deliver(receiver.port, event("whe_1")) == 200);  // so that all it needs is open
  REQUIRE(eventually([&] { return sockets(receiver) == 1; }));
  // The kernel keeps four megabytes of answers for each. Large ones fill them sooner on a slow machine.
  const auto deaf = connect(receiver.port, 4, "");
  std::atomic<bool> stops{false};
  std::thread filling([&] {
    in_threads(deaf.size(), [&](std::size_t i) { deaf[i]->fill("GET /metrics HTTP/1.1\r\n\r\n", stops); });
  });
  CHECK(eventually([&] { return sockets(receiver) > 1; }));
  CHECK(deliver(receiver.port, event("whe_2")) == 200);
  CHECK(eventually([&] { return sockets(receiver) == 1; }));
  stops = true;
  filling.join();
  CHECK(peak_memory(receiver) < most_memory);
}

TEST_CASE("of 256 connections, the one that has been idle longest makes room for the next", "[strangers]") {
  const Sqlite database;
  const Receiver receiver(database.where(), log_in(database));
  const std::string body = event("whe_1"), request = head(body, length_of(body)) + body;
  Connection kept(receiver.port);
  CHECK(kept.send(request).answer().find(" 200 ") != std::string::npos);
  const auto idle = connect(receiver.port, 255, "");
  const auto ended = [&] {
    return std::count_if(idle.begin(), idle.end(), [](const auto& each) { return each->has_ended(); });
  };
  REQUIRE(eventually([&] { return sockets(receiver) == 257; }));
  CHECK(ended() == 0);
  Connections later;
  for (int more = 1; more <= 20; ++more) {
    CHECK(kept.send(request).answer().find(" 200 ") != std::string::npos);
    later.push_back(std::make_unique<Connection>(receiver.port));
    REQUIRE(eventually([&] { return ended() == more; }));
    CHECK(idle[static_cast<std::size_t>(more - 1)]->has_ended());
  }
  CHECK_FALSE(kept.has_ended());
}

TEST_CASE("idle connections do not end an incoming delivery", "[strangers]") {
  const Sqlite database;
  const Receiver receiver(database.where(), log_in(database));
  const std::string body = event("whe_1");
  Connection delivery(receiver.port);
  REQUIRE(delivery.send(head(body, "Expect: 100-continue\r\n" + length_of(body))).answer().find(" 100 ") == 8);
  delivery.send(std::string_view(body).substr(1));
  const auto idle = connect(receiver.port, 300, "");
  CHECK(eventually([&] { return idle[40]->has_ended(); }));
  CHECK(delivery.send(body.substr(body.size() - 1)).answer().find("HTTP/1.1 ") == 0);
}

TEST_CASE("strangers who keep connecting hold up neither SIGTERM nor requests in flight", "[strangers]") {
  const Sqlite database;
  Receiver receiver(database.where(), log_in(database));
  const std::string body = event("whe_1");
  Connection delivery(receiver.port);
  REQUIRE(delivery.send(head(body, "Expect: 100-continue\r\n" + length_of(body))).answer().find(" 100 ") == 8);
  std::atomic<int> connected{0};
  std::thread strangers([&] {
    in_threads(4, [&](std::size_t) {
      while (connected < 40'000 && Connection(receiver.port).connected) ++connected;
    });
  });
  REQUIRE(eventually([&] { return connected > 1000; }));
  const int before = connected;
  receiver.signal(SIGTERM);
  CHECK(delivery.send(body).answer().find("HTTP/1.1 200 ") == 0);
  strangers.join();
  CHECK(connected - before < 16'000);  // its queue, and as many who queued meanwhile
  CHECK(receiver.wait() == 0);
}

TEST_CASE("after SIGTERM a refused upload is still read, so that its client gets the answer", "[strangers]") {
  const Sqlite database;
  const auto is_read_on = [&] {
    Receiver receiver(database.where(), log_in(database));
    Connection upload(receiver.port), idle(receiver.port);
    upload.send(head("", "Content-Length: 2000000") + "the first part");
    REQUIRE(receiver.logs("413 POST /webhooks  the body is too large\n"));
    CHECK(idle.send("GET /healthz HTTP/1.1\r\n\r\n").answer().find(" 200 ") != std::string::npos);
    receiver.signal(SIGTERM);
    CHECK(eventually([&] { return idle.has_ended(); }));
    const long open = sockets(receiver);
    CHECK(upload.answer().find("HTTP/1.1 413 ") == 0);
    return open == 2;
  };
  CHECK(eventually(is_read_on));  // false if the machine is slower than the two seconds that it keeps reading
}

TEST_CASE("it survives a limit on open files", "[strangers]") {
  const Sqlite database;
  Receiver receiver(database.where(), log_in(database));
  const rlimit few{40, 40};
  REQUIRE(prlimit(receiver.pid(), RLIMIT_NOFILE, &few, nullptr) == 0);
  const auto idle = connect(receiver.port, 200, "");
  for (int i = 0; i < 20; ++i) CHECK(deliver(receiver.port, event("whe_" + std::to_string(i))) == 200);
  const rlimit none{0, 40};
  REQUIRE(prlimit(receiver.pid(), RLIMIT_NOFILE, &none, nullptr) == 0);
  const auto waiting = connect(receiver.port, 50, "");  // more than it can make room for
  const double before = processor_time(receiver);
  std::this_thread::sleep_for(1s);
  CHECK(processor_time(receiver) - before < 0.5);  // it does not spin while it cannot accept
  REQUIRE(prlimit(receiver.pid(), RLIMIT_NOFILE, &few, nullptr) == 0);
  CHECK(deliver(receiver.port, event("whe_last")) == 200);
  receiver.signal(SIGTERM);
  CHECK(receiver.wait() == 0);
}

TEST_CASE("large bodies that never end cost little memory", "[strangers]") {
  const Sqlite database;
  const Receiver receiver(database.where(), log_in(database));
  const auto many = connect(receiver.port, 500, head("", "Content-Length: 1048576"));
  CHECK(deliver(receiver.port, event("whe_1")) == 200);
  CHECK(peak_memory(receiver) < most_memory);
  // The worst case: a megabyte for each connection.
  const std::string almost(1'000'000, 'x');
  in_threads(8, [&](std::size_t thread) {
    for (std::size_t i = thread; i < many.size(); i += 8) many[i]->send(almost);
  });
  CHECK(deliver(receiver.port, event("whe_2")) == 200);
  CHECK(peak_memory(receiver) < 400);
}

namespace {

/// A receiver that logs to a pipe with room for only a few lines, which is read only by read_until().
struct Stalling {
  Sqlite database;
  std::string fifo = (database.folder.path / "fifo").string();
  std::unique_ptr<Process> receiver;
  int log = -1, port = 0;

  Stalling() {
    if (mkfifo(fifo.c_str(), 0600) != 0) throw std::runtime_error("no pipe");
    const std::string command = "exec " RECEIVER " 0 " + database.where() + " >" + fifo;
    receiver = std::make_unique<Process>(test_secret, std::vector<std::string>{"/bin/sh", "-c", command},
                                         database.folder.path / "log");
    log = open(fifo.c_str(), O_RDONLY | O_CLOEXEC);
    fcntl(log, F_SETPIPE_SZ, 4096);
    const std::string line = read_until("/webhooks\n");
    port = std::stoi(line.substr(line.find("127.0.0.1:") + 10));
  }
  Stalling(const Stalling&) = delete;
  Stalling& operator=(const Stalling&) = delete;
  ~Stalling() { close(log); }

  std::string read_until(const std::string& end) const {
    std::string text;
    for (char c = 0; text.find(end) == std::string::npos && read(log, &c, 1) == 1;) text += c;
    return text;
  }
  /// Returns how many of 2000 deliveries were accepted.
  [[nodiscard]] int deliver_many() const {
    std::atomic<int> good{0};
    in_threads(8, [&](std::size_t thread) {
      Connection connection(port);
      const std::string body = event("whe_" + std::to_string(thread));
      for (int i = 0; i < 250; ++i) {
        good += connection.send(head(body, length_of(body)) + body).answer().find("HTTP/1.1 200 ") == 0;
      }
    });
    return good;
  }
};

}  // namespace

TEST_CASE("a log reader that stalls or exits holds up neither deliveries nor the exit", "[strangers]") {
  Stalling stalling;
  const bool ends = GENERATE(false, true);
  if (ends) close(std::exchange(stalling.log, -1));
  CHECK(stalling.deliver_many() == 2000);
  stalling.receiver->signal(SIGTERM);
  CHECK(stalling.receiver->wait() == 0);
}

TEST_CASE("dropped lines of the log are counted", "[strangers]") {
  Stalling stalling;
  CHECK(stalling.deliver_many() == 2000);
  const std::string end = " lines were dropped, since nobody read them\n";
  std::string text = stalling.read_until(end);
  text.erase(text.size() - end.size());
  const auto dropped = std::stoul(text.substr(text.rfind(' ')));
  CHECK(dropped > 100);
  CHECK(count(text, " 200 POST /webhooks  ") + dropped == 2000);
  CHECK(deliver(stalling.port, event("whe_last")) == 200);
  stalling.read_until(" recorded whe_last ");
}

TEST_CASE("many refusals are summarised in the log", "[strangers]") {
  const Sqlite database;
  const Receiver receiver(database.where(), log_in(database));
  for (int i = 0; i < 300; ++i) CHECK(status_of(receiver.port, "GET / HTTP/1.1\r\n\r\n") == "404");
  CHECK(deliver(receiver.port, event("whe_1")) == 200);
  CHECK(receiver.logs(" recorded whe_1 "));  // at once
  {
    const Sqlite::Lock lock(database);
    CHECK(deliver(receiver.port, event("whe_2")) == 503);
  }
  CHECK(receiver.logs("503 POST /webhooks  not recorded: "));
  std::size_t lines = 0, summed = 0;
  CHECK(eventually([&] {
    const std::string log = receiver.log();
    lines = count(log, " 404 ");
    summed = 0;
    const std::string end = " more requests were refused\n";
    for (auto at = log.find(end); at != std::string::npos; at = log.find(end, at + 1)) {
      summed += std::stoul(log.substr(log.rfind(' ', at - 1)));
    }
    return lines + summed == 300;
  }));
  CHECK(lines >= 20);
  CHECK(lines < 200);
}
