// SPDX-License-Identifier: MIT
// Starts the server that the environment variable SERVER names, and sends it deliveries over loopback. It knows
// nothing of any server. Each prints its port, has its secret from the environment, and answers POST /webhooks.
// FIRST_LINE is set for those that look headers up by name, and so see only the first line of several.
#include "../catch.hpp"
#include "../signature.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif

#include <cctype>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

using namespace std::chrono_literals;

namespace {

const std::string key = "0123456789abcdef0123456789abcdef";
const char* const secret = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";
const std::string event =
    R"({"id":"whe_1","created_at":"2026-03-15T10:00:00Z","data":{"id":"sesn_1","organization_id":"org_1",)"
    R"("type":"session.created","workspace_id":"wrkspc_1"},"type":"event"})";

constexpr int patience = 60'000;  // milliseconds to wait for what another process does, on a slow machine too

/// A read that ends also where nothing comes. Returns whether there was a byte.
bool read_byte(int file, char& c) {
  pollfd readable{file, POLLIN, 0};
  return poll(&readable, 1, patience) == 1 && read(file, &c, 1) == 1;
}

/// A connection to the server, which is -1 where it takes none.
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

/// The server as a child process, which does not outlive this object.
class Server {
 public:
  explicit Server(const char* program) {
    if (program == nullptr || pipe(output_) != 0 || (process_ = fork()) < 0) throw std::runtime_error("no server");
    if (process_ == 0) {
#ifdef __linux__
      prctl(PR_SET_PDEATHSIG, SIGKILL);  // also where this test is killed
#endif
      dup2(output_[1], STDOUT_FILENO);
      setenv("ANTHROPIC_WEBHOOK_SIGNING_KEY", secret, 1);
      execl(program, program, nullptr);
      _exit(127);
    }
    close(output_[1]);
    for (char c = 0; read_byte(output_[0], c) && c != '\n';) port = 10 * port + (c - '0');
    for (int tries = 0; tries < 1000 && !is_listening(); ++tries) std::this_thread::sleep_for(5ms);
  }
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;
  ~Server() {
    kill(process_, SIGKILL);
    waitpid(process_, nullptr, 0);
    close(output_[0]);
  }

  int port = 0;

 private:
  [[nodiscard]] bool is_listening() const {
    const int connection = connect_to(port);
    return connection >= 0 && close(connection) == 0;
  }

  pid_t process_ = -1;
  int output_[2] = {};
};

using Lines = std::vector<std::string>;

Lines signed_lines(const std::string& body, const std::string& with = key, std::chrono::seconds age = 0s) {
  const auto at = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now() - age);
  const std::string timestamp = std::to_string(at);
  return {"webhook-id: whe_1", "webhook-timestamp: " + timestamp,
          "webhook-signature: " + signature(with, "whe_1", timestamp, body)};
}

/// The status of the answer, where 200 is any that says success, and 0 none at all. The body is sent in two
/// pieces, with a pause before each, unless that is 0.
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
  std::string answer;
  for (char c = 0; answer.find("\r\n\r\n") == std::string::npos && read_byte(connection, c);) answer += c;
  close(connection);
  const int status = answer.compare(0, 9, "HTTP/1.1 ") == 0 ? std::atoi(answer.substr(9, 3).c_str()) : 0;
  return status / 100 == 2 ? 200 : status;
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

}  // namespace

TEST_CASE("each delivery gets the status that it should, and the server stays up") {
  const Server server(std::getenv("SERVER"));
  REQUIRE(server.port > 0);

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
      {"signed, but no event", signed_lines("{}"), "{}", 400},
  };
  for (const auto& row : rows) {
    INFO(row.what);
    CHECK(post(server.port, row.lines, row.body, 5ms) == row.status);
    CHECK(post(server.port, good, event) == 200);
  }
}
