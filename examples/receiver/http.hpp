// SPDX-License-Identifier: MIT
// A server that strangers may talk to: HTTP with Boost.Beast, in one thread, with a bound for all that they can
// do.
#pragma once

#include "answer.hpp"
#include "metrics.hpp"

#include <boost/asio.hpp>

#include <list>

namespace asio = boost::asio;

class Server {
 public:
  // The limits of the proxies, and the memory in deploy/kubernetes.yaml, follow from these.
  static constexpr std::size_t connections = 256, header_bytes = 16 << 10, body_bytes = 1 << 20;
  // The time for a request, from its first byte to its last, and the time between requests. A proxy keeps idle
  // connections for up to ten minutes (Google Cloud), and has to be the one who ends them.
  static constexpr std::chrono::seconds request_time{10}, idle_time{620};

  explicit Server(asio::io_context& io) : acceptor_(io) {}
  virtual ~Server() = default;

  bool is_ending = false;  ///< From now on, each answer ends its connection.

  /// What the log has, by status. Prometheus sees the first of a kind only if there was a zero before.
  Counts requests{{"200", 0}, {"400", 0}, {"401", 0}, {"413", 0}, {"415", 0}, {"500", 0}, {"503", 0}};

  /// Returns its URL. For port 0 it takes a free one. Throws std::runtime_error.
  std::string listen(const std::string& address, int port) try {
    const asio::ip::tcp::endpoint endpoint(asio::ip::make_address(address), static_cast<std::uint16_t>(port));
    acceptor_ = asio::ip::tcp::acceptor(acceptor_.get_executor(), endpoint);
    asio::co_spawn(acceptor_.get_executor(), accept(), [](std::exception_ptr e) {
      if (e) std::rethrow_exception(e);
    });
    return (std::ostringstream() << "http://" << acceptor_.local_endpoint()).str();
  } catch (const std::exception& e) {
    throw std::runtime_error("cannot listen on " + address + ", port " + std::to_string(port) + ": " + e.what());
  }

  /// Stops listening. The requests that have come, or come within a second, are still answered.
  asio::awaitable<void> stop() {
    is_ending = true;
    beast::error_code ec;
    acceptor_.non_blocking(true);
    // Connections in the socket's queue would be reset. Strangers may fill it again without end.
    for (int n = asio::socket_base::max_listen_connections; n > 0 && ec != asio::error::would_block; --n) {
      auto socket = acceptor_.accept(ec);
      if (!ec) start(std::move(socket));
      if (ec && ec != asio::error::would_block) make_room();
      co_await asio::post(acceptor_.get_executor(), asio::use_awaitable);  // the others go on
    }
    acceptor_.close(ec);
    if (!connections_.empty()) co_await pause(std::chrono::seconds(1));
    for (auto& [stream, state] : connections_) {
      if (state == State::idle && stream.socket().available(ec) == 0) stream.cancel();
    }
  }

 protected:
  /// Returns an answer with a status other than 0 to refuse a request for its header, before its body is read.
  virtual Answer check(const Request& header) const = 0;
  virtual asio::awaitable<Answer> answer(const Request& request) = 0;

 private:
  enum class State { idle, reading, busy };  // busy: the client waits for us
  struct Connection {
    beast::tcp_stream stream;
    State state = State::idle;
  };
  using Place = std::list<Connection>::iterator;
  using Parser = http::request_parser<http::string_body>;

  asio::awaitable<void> pause(std::chrono::milliseconds time) {
    co_await asio::steady_timer(acceptor_.get_executor(), time).async_wait(asio::use_awaitable);
  }

  asio::awaitable<void> accept() {
    while (acceptor_.is_open()) {
      beast::error_code ec;
      auto socket = co_await acceptor_.async_accept(asio::redirect_error(asio::use_awaitable, ec));
      if (!ec) start(std::move(socket));
      if (!ec || !acceptor_.is_open()) continue;
      make_room();  // perhaps too many files are open
      co_await pause(std::chrono::milliseconds(10));
    }
  }

  void start(asio::ip::tcp::socket socket) {
    if (connections_.size() >= connections && !make_room()) return;
    connections_.push_back({beast::tcp_stream(std::move(socket))});
    const Place place = std::prev(connections_.end());
    asio::co_spawn(acceptor_.get_executor(), serve(place), [this, place](std::exception_ptr e) {
      connections_.erase(place);
      try {
        if (e) std::rethrow_exception(e);
      } catch (...) {
        the_log.refused("a connection has failed: " + current_reason());
      }
    });
  }

  /// Ends the connection that has been idle for the longest time. Without one, it ends the one that has been
  /// sending a request for the longest time.
  bool make_room() {
    for (const State state : {State::idle, State::reading}) {
      for (auto& connection : connections_) {
        if (connection.state != state || !connection.stream.socket().is_open()) continue;
        connection.stream.close();
        return true;
      }
    }
    return false;
  }

  void wait_for_client(Place place, State state) {
    place->state = state;
    connections_.splice(connections_.end(), connections_, place);  // behind those that have waited for longer
  }

  asio::awaitable<void> serve(Place place) {
    beast::error_code ec;
    auto token = asio::redirect_error(asio::use_awaitable, ec);
    beast::tcp_stream& stream = place->stream;
    beast::flat_buffer buffer(header_bytes + 4096);
    for (bool goes_on = true; goes_on; wait_for_client(place, State::idle)) {
      if (buffer.size() == 0) {
        stream.expires_after(is_ending ? std::chrono::seconds(1) : idle_time);
        buffer.commit(co_await stream.async_read_some(buffer.prepare(1024), token));
        if (ec) break;
      }
      wait_for_client(place, State::reading);
      stream.expires_after(request_time);
      Parser parser;
      const Answer answer = co_await read_and_answer(place, buffer, parser);
      // With an encoding other than chunked, the parser cannot tell where the body ends.
      const bool has_end = parser.get().count(http::field::transfer_encoding) == 0 || parser.chunked();
      const bool is_old = parser.get().version() < 11;  // such a client waits for the end, not for a length
      goes_on = has_end && parser.is_done() && parser.keep_alive() && !is_old && !is_ending;
      if (answer.status != 0) {
        // A client that does not read its answer makes room for others, unless its delivery was accepted.
        if (answer.status != 200 || !answer.is_logged) wait_for_client(place, State::reading);
        http::response<http::string_body> response(http::status(answer.status), 11, answer.text + '\n');
        response.set(http::field::content_type, answer.type);
        if (!answer.allow.empty()) response.set(http::field::allow, answer.allow);
        response.keep_alive(goes_on);
        response.prepare_payload();
        if (parser.get().method() == http::verb::head) response.body().clear();
        stream.expires_after(request_time);
        co_await http::async_write(stream, response, token);
      }
      goes_on = goes_on && !ec && answer.status != 0;
      if (!answer.is_logged) continue;
      ++requests[std::to_string(answer.status)];
      log_answer(answer, parser.get());
    }
    // Closing a socket with unread data would reset it, and the client would lose the answer.
    place->state = State::reading;
    stream.socket().shutdown(asio::socket_base::shutdown_send, ec);
    buffer.clear();
    for (stream.expires_after(std::chrono::seconds(2)); !ec; buffer.clear()) {
      co_await stream.async_read_some(buffer.prepare(4096), token);
    }
  }

  /// Returns an answer with the status 0 if nobody waits for one.
  asio::awaitable<Answer> read_and_answer(Place place, beast::flat_buffer& buffer, Parser& parser) {
    beast::error_code ec;
    auto token = asio::redirect_error(asio::use_awaitable, ec);
    const Request& request = parser.get();
    parser.header_limit(header_bytes);  // per line in Boost 1.74
    parser.body_limit(body_bytes);
    std::size_t size = 0;
    while (!ec && !parser.is_header_done() && size <= header_bytes) {
      size += co_await http::async_read_some(place->stream, buffer, parser, token);
    }
    if (!ec && size > header_bytes) ec = http::error::header_limit;
    if (ec) co_return refusal(ec);
    const bool is_old = request.version() < 11;
    if (is_old && request.count(http::field::transfer_encoding) != 0)
      co_return Answer{400, "HTTP/1.0 has no Transfer-Encoding"};
    if (Answer refused = check(request); refused.status != 0) co_return refused;

    if (!is_old && beast::iequals(request[http::field::expect], "100-continue")) {
      co_await asio::async_write(place->stream, asio::buffer("HTTP/1.1 100 Continue\r\n\r\n", 25), token);
    }
    parser.eager(true);  // all the chunks that have come at once
    while (!ec && !parser.is_done()) co_await http::async_read_some(place->stream, buffer, parser, token);
    if (ec) co_return refusal(ec);
    place->state = State::busy;
    co_return co_await answer(request);
  }

  asio::ip::tcp::acceptor acceptor_;
  std::list<Connection> connections_;  // the one that has been waiting for the longest time comes first
};
