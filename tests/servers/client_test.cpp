// SPDX-License-Identifier: MIT
// Starts the server named by the environment variable SERVER, and sends it deliveries over loopback. Every server
// takes its port as an argument and its secret from the environment, answers POST /webhooks, and says on standard
// error why it refused a delivery. FIRST_LINE is set for those that look up headers by name, and so see only the
// first of several lines. TOO_LONG and TOO_LONG_CHUNKED are the status for a body of more than 1 MiB: 0 for none,
// 200 if there is no limit, "either" for 200 or 413. The tests with [.bounds] are for examples/server.cpp, which
// bounds everything it reads.
#include "../catch.hpp"
#include "../signature.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#ifdef WITH_ZLIB
#include <zlib.h>
#endif
#ifdef __linux__
#include <sys/prctl.h>
#endif

#include <algorithm>
#include <cctype>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

using namespace std::chrono_literals;

namespace {

const std::string key = "0123456789abcdef0123456789abcdef";
const char* const secret = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";
const std::string event =
    R"({"id":"whe_1","created_at":"2026-03-15T10:00:00Z","data":{"id":"sesn_1","organization_id":"org_1",)"
    R"("type":"session.created","workspace_id":"wrkspc_1"},"type":"event"})";

constexpr int patience = 60'000;  // milliseconds to wait for another process, even on a slow machine

/// Reads a byte, with a time-out. Returns whether there was one.
bool read_byte(int file, char& c) {
  pollfd readable{file, POLLIN, 0};
  return poll(&readable, 1, patience) == 1 && read(file, &c, 1) == 1;
}

/// A connection to the server, or -1 if it accepts none.
int connect_to(int port) {
  const int connection = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const int at_once = 1;
  setsockopt(connection, IPPROTO_TCP, TCP_NODELAY, &at_once, sizeof at_once);
  if (connect(connection, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) return connection;
  close(connection);
  return -1;
}

int free_port() {
  const int probe = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  socklen_t size = sizeof address;
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  bind(probe, reinterpret_cast<const sockaddr*>(&address), size);
  getsockname(probe, reinterpret_cast<sockaddr*>(&address), &size);
  close(probe);
  return ntohs(address.sin_port);
}

/// The server as a child process that does not outlive this object. It is listening, or has ended.
class Server {
 public:
  explicit Server(const char* signing_key = secret) : output_(std::tmpfile()) {
    const char* const program = std::getenv("SERVER");
    if (program == nullptr || output_ == nullptr) throw std::runtime_error("no server");
    for (int tries = 0; tries < 3 && !is_listening_; ++tries)
      start(program, signing_key);  // the port may be taken
  }
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;
  ~Server() {
    if (is_listening_) {
      kill(process_, SIGKILL);
      waitpid(process_, nullptr, 0);
    }
    std::fclose(output_);
  }

  /// What it has printed so far.
  [[nodiscard]] std::string output() const {
    std::string text(100'000, '\0');
    const auto size = pread(fileno(output_), text.data(), text.size(), 0);
    text.resize(static_cast<std::size_t>(std::max<ssize_t>(size, 0)));
    return text;
  }

#ifdef __linux__
  /// Its peak memory so far, in megabytes.
  [[nodiscard]] int peak_memory() const {
    std::ifstream status("/proc/" + std::to_string(process_) + "/status");
    for (std::string line; std::getline(status, line);) {
      if (line.compare(0, 6, "VmHWM:") == 0) return std::atoi(line.c_str() + 6) / 1024;
    }
    return -1;
  }
#endif

  int port = 0;
  int exit_status = -1;  // -1 while it runs, or if a signal ended it

 private:
  void start(const char* program, const char* signing_key) {
    port = free_port();
    const std::string argument = std::to_string(port);
    if ((process_ = fork()) < 0) throw std::runtime_error("no process");
    if (process_ == 0) {
#ifdef __linux__
      prctl(PR_SET_PDEATHSIG, SIGKILL);  // even if this test is killed
#endif
      dup2(fileno(output_), STDOUT_FILENO);
      dup2(fileno(output_), STDERR_FILENO);
      if (signing_key != nullptr) {
        setenv("ANTHROPIC_WEBHOOK_SIGNING_KEY", signing_key, 1);
      } else {
        unsetenv("ANTHROPIC_WEBHOOK_SIGNING_KEY");
      }
      execl(program, program, argument.c_str(), nullptr);
      _exit(127);
    }
    for (int waited = 0; waited < patience; waited += 5) {
      int status = 0;
      if (waitpid(process_, &status, WNOHANG) == process_) {
        exit_status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
        return;
      }
      const int connection = connect_to(port);
      if ((is_listening_ = connection >= 0 && close(connection) == 0)) return;
      std::this_thread::sleep_for(5ms);
    }
    throw std::runtime_error("the server neither listens nor ends");
  }

  std::FILE* output_;
  pid_t process_ = -1;
  bool is_listening_ = false;
};

using Lines = std::vector<std::string>;

Lines signed_lines(const std::string& body, const std::string& with = key, std::chrono::seconds age = 0s) {
  const auto at = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now() - age);
  const std::string timestamp = std::to_string(at);
  return {"webhook-id: whe_1", "webhook-timestamp: " + timestamp,
          "webhook-signature: " + signature(with, "whe_1", timestamp, body)};
}

/// The status of the answer: 200 for any success, 0 for no answer.
int read_status(int connection) {
  std::string answer;
  for (char c = 0; answer.find("\r\n\r\n") == std::string::npos && read_byte(connection, c);) answer += c;
  close(connection);
  const int status = answer.compare(0, 9, "HTTP/1.1 ") == 0 ? std::atoi(answer.substr(9, 3).c_str()) : 0;
  return status / 100 == 2 ? 200 : status;
}

/// Posts the body, in two pieces with a pause before each unless `pause` is 0.
int post(int port, const Lines& lines, const std::string& body, std::chrono::milliseconds pause = 0ms) {
  std::string head = "POST /webhooks HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n";
  for (const auto& line : lines) head += line + "\r\n";
  head += "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n";
  const std::size_t half = body.size() / 2;
  const Lines whole{head + body}, pieces{head, body.substr(0, half), body.substr(half)};

  const int connection = connect_to(port);
  if (connection < 0) return 0;
  for (const auto& piece : pause > 0ms ? pieces : whole) {
    if (!piece.empty() && send(connection, piece.data(), piece.size(), MSG_NOSIGNAL) < 0) break;
    std::this_thread::sleep_for(pause);
  }
  return read_status(connection);
}

Lines without(Lines lines, std::size_t index) {
  lines.erase(lines.begin() + static_cast<std::ptrdiff_t>(index));
  return lines;
}

Lines with(Lines lines, std::size_t index, const std::string& line) {
  lines[index] = line;
  return lines;
}

Lines with_case(Lines lines, int (*change)(int)) {
  for (auto& line : lines) {
    for (std::size_t i = 0; line[i] != ':'; ++i) line[i] = static_cast<char>(change(line[i]));
  }
  return lines;
}

/// Sends the head of a request, and then the piece up to `times` times, until there is an answer.
int flood(int port, const std::string& head, const std::string& piece, int times) {
  const int connection = connect_to(port);
  if (connection < 0) return 0;
  pollfd answer{connection, POLLIN, 0};
  bool good = send(connection, head.data(), head.size(), MSG_NOSIGNAL) > 0;
  for (; good && times > 0 && poll(&answer, 1, 0) == 0; --times) {
    good = send(connection, piece.data(), piece.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(piece.size());
  }
  return read_status(connection);
}

std::string chunk(const std::string& data) {
  char size[20];
  std::snprintf(size, sizeof size, "%zx\r\n", data.size());
  return size + data + "\r\n";
}

#ifdef WITH_ZLIB
/// A gigabyte of zeros in less than a megabyte of gzip.
std::string bomb() {
  z_stream stream{};
  if (deflateInit2(&stream, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK)
    throw std::runtime_error("zlib");
  std::string zeros(1 << 20, '\0'), piece[2];
  for (std::string& out : piece) {
    out.resize(zeros.size());
    stream.next_in = reinterpret_cast<Bytef*>(zeros.data());
    stream.avail_in = static_cast<uInt>(zeros.size());
    stream.next_out = reinterpret_cast<Bytef*>(out.data());
    stream.avail_out = static_cast<uInt>(out.size());
    deflate(&stream, Z_FULL_FLUSH);  // so that the second piece can be repeated
    out.resize(out.size() - stream.avail_out);
  }
  deflateEnd(&stream);
  std::string result = piece[0];
  while (result.size() + piece[1].size() < 1'000'000) result += piece[1];
  return result;
}
#endif

}  // namespace

TEST_CASE("no body takes more than a few megabytes of memory", "[.bounds]") {
  const Server server;
  const Lines good = signed_lines(event);
  REQUIRE(post(server.port, good, event) == 200);

  const std::string megabyte(1 << 20, ' '), kilobytes(1 << 16, ' ');
  CHECK(post(server.port, good, megabyte) == 401);
  CHECK(post(server.port, good, megabyte + ' ') == 413);

  const auto head = [](const std::string& request, const std::string& more) {
    return request + " HTTP/1.1\r\nHost: localhost\r\n" + more + "\r\n";
  };
  const auto with_length = [](const std::string& body) {
    return "Content-Length: " + std::to_string(body.size()) + "\r\n";
  };
  const std::string chunked = "Transfer-Encoding: chunked\r\n", endless = "Content-Length: 1500000000\r\n";
  std::string lines;
  for (const auto& line : good) lines += line + "\r\n";
  CHECK(flood(server.port, head("POST /webhooks", lines + chunked), chunk(event) + "0\r\n\r\n", 1) == 200);
  CHECK(flood(server.port, head("POST /webhooks", lines + chunked), chunk(megabyte) + "0\r\n\r\n", 1) == 401);

  // An endless body is answered early, after far less than 256 megabytes.
  for (const auto& [request, status] : {std::pair("POST /webhooks", 413),
                                        {"POST /other", 404},
                                        {"PUT /webhooks", 404},
                                        {"PATCH /", 404},
                                        {"DELETE /webhooks", 404},
                                        {"PRI /webhooks", 404}}) {
    INFO(request);
    CHECK(flood(server.port, head(request, endless), kilobytes, 4096) == status);
    CHECK(flood(server.port, head(request, chunked), chunk(kilobytes), 4096) == status);
  }
  CHECK(flood(server.port, head("POST /webhooks", ""), kilobytes, 4096) / 100 ==
        4);  // neither a length nor chunks

  // A multipart body is not a delivery either.
  const std::string multipart = "Content-Type: multipart/form-data; boundary=b\r\n";
  CHECK(flood(server.port, head("POST /webhooks", multipart + endless),
              "--b\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n" + kilobytes + "\r\n", 4096) == 415);

#ifdef WITH_ZLIB
  const std::string zip = bomb();
  REQUIRE(zip.size() < 1 << 20);
  for (const std::string encoding : {"gzip", "deflate", "br", "zstd", "x", "gzip, gzip"}) {
    INFO(encoding);
    const std::string encoded = "Content-Encoding: " + encoding + "\r\n";
    CHECK(flood(server.port, head("POST /webhooks", encoded + with_length(zip)), zip, 1) == 415);
    CHECK(flood(server.port, head("POST /webhooks", lines + encoded + chunked), chunk(zip) + "0\r\n\r\n", 1) ==
          415);
    CHECK(flood(server.port, head("POST /other", encoded + with_length(zip)), zip, 1) == 404);
    CHECK(flood(server.port, head("PUT /webhooks", encoded + chunked), chunk(zip) + "0\r\n\r\n", 1) == 404);
  }
#endif

  // The unread rest of a body is not read as a request.
  const std::string hidden = "POST /webhooks HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n";
  CHECK(flood(server.port, head("POST /other", with_length(hidden)), hidden, 1) == 404);
  CHECK(flood(server.port, head("POST /webhooks", "Content-Encoding: gzip\r\n" + with_length(hidden)), hidden,
              1) == 415);

  CHECK(post(server.port, signed_lines(event), event) == 200);
#ifdef __linux__
  CHECK(server.peak_memory() > 0);
  CHECK(server.peak_memory() < 64);
#endif
}

TEST_CASE("each delivery gets the status that it should, and the server stays up") {
  const Server server;
  const bool all_lines = std::getenv("FIRST_LINE") == nullptr;
  const Lines good = signed_lines(event), forged = signed_lines(event, "another key");
  const std::string right = good[2].substr(19), wrong = forged[2].substr(19);
  const struct {
    const char* what;
    Lines lines;
    std::string body;
    int status;
  } rows[] = {
      {"good", good, event, 200},
      {"names in upper case", with_case(good, std::toupper), event, 200},
      {"the right signature first", with(good, 2, good[2] + " " + wrong), event, 200},
      {"the right signature last", with(good, 2, forged[2] + " " + right), event, 200},
      {"joined by a proxy", with(good, 2, forged[2] + ", " + right), event, 200},
      {"the right signature in the first of two lines", {good[0], good[1], good[2], forged[2]}, event, 200},
      {"the right signature in the second of two lines",
       {good[0], good[1], forged[2], good[2]},
       event,
       all_lines ? 200 : 401},
      {"another id in a second line",
       {good[0], good[1], good[2], "webhook-id: whe_2"},
       event,
       all_lines ? 401 : 200},
      {"wrong signature", forged, event, 401},
      {"wrong signatures in two lines", {good[0], good[1], forged[2], forged[2]}, event, 401},
      {"changed body", good, event + " ", 401},
      {"no body", good, "", 401},
      {"no headers", {}, event, 401},
      {"no headers and no body", {}, "", 401},
      {"no id", without(good, 0), event, 401},
      {"no timestamp", without(good, 1), event, 401},
      {"no signature", without(good, 2), event, 401},
      {"empty id", with(good, 0, "webhook-id:"), event, 401},
      {"empty timestamp", with(good, 1, "webhook-timestamp:"), event, 401},
      {"empty signature", with(good, 2, "webhook-signature:"), event, 401},
      {"bytes outside ASCII", with(good, 2, "webhook-signature: v1,\xff\x80"), event, 401},
      {"old", signed_lines(event, key, 1h), event, 401},
      {"from the future", signed_lines(event, key, -1h), event, 401},
      {"signed, but empty", signed_lines(""), "", 400},
      {"signed, but not an event", signed_lines("{}"), "{}", 400},
  };
  for (const auto& row : rows) {
    INFO(row.what);
    CHECK(post(server.port, row.lines, row.body, 5ms) == row.status);
    CHECK(post(server.port, good, event) == 200);
  }
}

TEST_CASE("a body that is too long or encoded is refused") {
  const Server server;
  const auto status_from = [](const char* name) { return std::atoi(std::getenv(name)); };
  const auto padded = [](std::size_t size) { return event + std::string(size - event.size(), ' '); };
  const std::string long_body = padded(1'000'000), too_long = padded(1'100'000);
  CHECK(post(server.port, signed_lines(long_body), long_body) == 200);
  CHECK(post(server.port, signed_lines(too_long), too_long) == status_from("TOO_LONG"));
  const auto post_chunked = [&](const std::string& body) {
    std::string head = "POST /webhooks HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n";
    for (const auto& line : signed_lines(body)) head += line + "\r\n";
    return flood(server.port, head + "\r\n", chunk(body) + "0\r\n\r\n", 1);
  };
  CHECK(post_chunked(event) == 200);
  const int status = post_chunked(too_long);
  if (std::string(std::getenv("TOO_LONG_CHUNKED")) == "either") {
    CHECK((status == 200 || status == 413));
  } else {
    CHECK(status == status_from("TOO_LONG_CHUNKED"));
  }

  for (const char* encoding : {"gzip", "identity", "br"}) {
    auto lines = signed_lines(event);
    lines.push_back(std::string("Content-Encoding: ") + encoding);
    CHECK(post(server.port, lines, event) == 415);
  }
  CHECK(post(server.port, signed_lines(event), event) == 200);
}

TEST_CASE("a server prints events, and why it refused a delivery, and never its secret") {
  const Server server;
  REQUIRE(post(server.port, signed_lines(event, "another key"), event) == 401);
  REQUIRE(post(server.port, signed_lines("{}"), "{}") == 400);
  REQUIRE(post(server.port, signed_lines(event), event) == 200);
  CHECK(server.output().find("no signature matches") != std::string::npos);
  CHECK(server.output().find("\n/") != std::string::npos);  // a JSON Pointer
  CHECK(server.output().find("session.created\n") != std::string::npos);
  CHECK(server.output().find(std::string(secret).substr(6)) == std::string::npos);
}

TEST_CASE("without a secret, a server says so and exits") {
  const Server server(nullptr);
  CHECK(server.exit_status == 1);
  CHECK(server.output().find("secret") != std::string::npos);
}
