// SPDX-License-Identifier: MIT
// Deliveries to a receiver, well-formed and not.
#pragma once

#include <anthropic/webhooks/verify.hpp>

#include "process.hpp"

#include <arpa/inet.h>
#include <httplib.h>
#include <sys/socket.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

inline std::size_t count(std::string_view text, std::string_view wanted) {
  std::size_t n = 0;
  for (auto at = text.find(wanted); at != std::string_view::npos; at = text.find(wanted, at + 1)) ++n;
  return n;
}

inline std::string event(const std::string& id, const std::string& type = "session.status_idled") {
  return R"({"id":")" + id + R"(","created_at":"2026-03-15T10:00:00Z","data":{"id":"sesn_1",)" +
         R"("organization_id":"org_1","type":")" + type + R"(","workspace_id":"wrkspc_1"},"type":"event"})";
}

/// The id of an event as above, or "msg_1".
inline std::string id_of(const std::string& body) {
  const std::string before = R"({"id":")";
  if (body.compare(0, before.size(), before) != 0) return "msg_1";
  return body.substr(before.size(), body.find('"', before.size()) - before.size());
}

inline httplib::Headers signed_headers(const std::string& body, const std::string& id,
                                       const std::string& with = test_secret, std::chrono::seconds age = 0s) {
  const auto at = std::chrono::system_clock::now() - age;
  return {{"Webhook-Id", id},
          {"Webhook-Timestamp", std::to_string(std::chrono::system_clock::to_time_t(at))},
          {"Webhook-Signature", anthropic::webhooks::WebhookVerifier(with).sign(id, at, body)}};
}
inline httplib::Headers signed_headers(const std::string& body) { return signed_headers(body, id_of(body)); }

/// The status of the answer, or 0 if there is none.
inline int post(int port, const std::string& body, const httplib::Headers& headers) {
  httplib::Client client("127.0.0.1", port);
  client.set_read_timeout(180);
  const auto result = client.Post("/webhooks", headers, body, "application/json");
  return result ? result->status : 0;
}

inline int deliver(int port, const std::string& body) { return post(port, body, signed_headers(body)); }

/// A connection for requests written by hand.
class Connection {
 public:
  explicit Connection(int port) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    fcntl(socket_, F_SETFD, FD_CLOEXEC);
    const timeval limit{180, 0};
    setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
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
  /// Sends the text repeatedly, without reading an answer, until `stops` is set.
  void fill(std::string_view text, const std::atomic<bool>& stops) {
    const timeval limit{0, 100'000};
    setsockopt(socket_, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    for (std::size_t at = 0; !stops;) {
      const ssize_t n = ::send(socket_, text.data() + at, text.size() - at, MSG_NOSIGNAL);
      if (n < 0 && errno != EAGAIN) return;  // it was closed
      if (n > 0) at = (at + static_cast<std::size_t>(n)) % text.size();
    }
  }
  Connection& end_of_input() {
    shutdown(socket_, SHUT_WR);
    return *this;
  }

  /// Reads until the text ends with `last`, or the connection is closed.
  std::string read(std::string_view last = "\n\n\n") {
    std::string text;
    while (text.size() < last.size() || text.compare(text.size() - last.size(), last.size(), last) != 0) {
      if (!read_one(text)) break;
    }
    return text;
  }

  /// Reads one answer, as long as its Content-Length says. An answer to HEAD has no body.
  std::string answer(bool to_head = false) {
    std::string text = read("\r\n\r\n");
    const std::string name = "\r\nContent-Length: ";
    const auto at = text.find(name);
    auto left = to_head || at == std::string::npos ? 0 : std::stoul(text.substr(at + name.size()));
    while (left > 0 && read_one(text)) --left;
    return text;
  }

  /// Whether the other side has closed the connection, perhaps after an answer.
  [[nodiscard]] bool has_ended() const {
    std::array<char, 512> ignored{};
    ssize_t got = 0;
    while ((got = recv(socket_, ignored.data(), ignored.size(), MSG_DONTWAIT)) > 0) continue;
    return got == 0 || (errno != EAGAIN && errno != EINTR);
  }

  bool connected = false;

 private:
  bool read_one(std::string& text) {
    char c = 0;
    const bool good = recv(socket_, &c, 1, 0) == 1;
    if (good) text += c;
    return good;
  }

  int socket_;
};

inline std::string head(const std::string& body, const std::string& more,
                        const std::string& request = "POST /webhooks") {
  std::string text = request + " HTTP/1.1\r\nHost: localhost\r\n";
  for (const auto& [name, value] : signed_headers(body)) text += name + ": " + value + "\r\n";
  return text + more + "\r\n\r\n";
}

inline std::string length_of(std::string_view body) { return "Content-Length: " + std::to_string(body.size()); }

/// The status of the answer to one request, or "" if there is none.
inline std::string status_of(int port, const std::string& request) {
  const std::string answer = Connection(port).send(request).answer();
  return answer.size() > 12 ? answer.substr(9, 3) : "";
}

template <class F>
void in_threads(std::size_t n, F f) {
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < n; ++i) threads.emplace_back(f, i);
  for (auto& thread : threads) thread.join();
}
