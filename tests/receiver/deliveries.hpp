// SPDX-License-Identifier: MIT
// Deliveries to a receiver, as the service makes them and as it does not.
#pragma once

#include <anthropic/webhooks/verify.hpp>

#include "process.hpp"

#include <arpa/inet.h>
#include <httplib.h>
#include <sys/socket.h>

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

/// The id of an event as above, or else "msg_1".
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

/// The status of the answer, or 0 where there is none.
inline int post(int port, const std::string& body, const httplib::Headers& headers) {
  httplib::Client client("127.0.0.1", port);
  client.set_read_timeout(180);
  const auto result = client.Post("/webhooks", headers, body, "application/json");
  return result ? result->status : 0;
}

inline int deliver(int port, const std::string& body) { return post(port, body, signed_headers(body)); }

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

inline std::string head(const std::string& body, const std::string& more,
                        const std::string& request = "POST /webhooks") {
  std::string text = request + " HTTP/1.1\r\nHost: localhost\r\n";
  for (const auto& [name, value] : signed_headers(body)) text += name + ": " + value + "\r\n";
  return text + more + "\r\n\r\n";
}

inline std::string length_of(std::string_view body) { return "Content-Length: " + std::to_string(body.size()); }

/// The status of the answer to one request, or "" where there is none.
inline std::string status_of(int port, const std::string& request) {
  return Connection(port).send(request).read().substr(0, 12).erase(0, 9);
}

template <class F>
void in_threads(std::size_t n, F f) {
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < n; ++i) threads.emplace_back(f, i);
  for (auto& thread : threads) thread.join();
}
