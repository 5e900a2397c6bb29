// SPDX-License-Identifier: MIT
// A server that strangers may talk to: HTTP with Boost.Beast, in one thread, with a bound for all that they can
// do.
#pragma once

#include "log.hpp"

#include <boost/asio.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <utility>  // which Boost 1.74 forgets to include

#include <chrono>
#include <exception>
#include <functional>
#include <iterator>
#include <list>
#include <string>
#include <string_view>

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;

using Request = http::request<http::string_body>;

struct Answer {
  unsigned status = 0;  ///< 0: the connection ends without an answer.
  std::string text{};
  std::string for_the_log{};  ///< After the text.
  std::string allow{};        ///< The header of that name.
  bool is_logged = true;
};

inline std::string_view view(beast::string_view text) { return {text.data(), text.size()}; }

class Server {
 public:
  static constexpr std::size_t header_bytes = 16 << 10, header_lines = 100, body_bytes = 1 << 20;
  static constexpr std::size_t small_body_bytes = 64 << 10, large_bodies = 32;  // which are read at the same time
  static constexpr std::size_t connections = 900;  // a process may usually open 1024 files
  // The time for a request, from its first byte to its last, and the time between requests. A proxy keeps idle
  // connections for up to two minutes, and ends them itself.
  static constexpr std::chrono::seconds request_time{10}, idle_time{150};

  /// Returns an answer with a status other than 0 to refuse a request for its header, before its body is read.
  using Check = std::function<Answer(const Request& header)>;
  using Handle = std::function<asio::awaitable<Answer>(const Request&)>;

  Server(asio::io_context& io, const Log& log, Check check, Handle handle)
      : acceptor_(io), log_(log), check_(std::move(check)), handle_(std::move(handle)) {}

  /// Returns the port, which is a free one for 0. Throws an exception derived from std::exception.
  int listen(const std::string& address, int port) {
    const asio::ip::tcp::endpoint endpoint(asio::ip::make_address(address), static_cast<std::uint16_t>(port));
    acceptor_.open(endpoint.protocol());
    acceptor_.set_option(asio::socket_base::reuse_address(true));
    acceptor_.bind(endpoint);
    acceptor_.listen();
    acceptor_.non_blocking(true);  // for stop()
    asio::co_spawn(acceptor_.get_executor(), accept(), [](std::exception_ptr e) {
      if (e) std::rethrow_exception(e);
    });
    return acceptor_.local_endpoint().port();
  }

  /// From now on, each answer ends its connection.
  void end_connections() { ending_ = true; }

  /// Stops listening. The requests that have come are still answered.
  asio::awaitable<void> stop() {
    end_connections();
    beast::error_code ec;
    while (!ec) {  // or those that wait in the queue of the socket would be reset
      auto socket = acceptor_.accept(ec);
      if (!ec) start(std::move(socket));
    }
    acceptor_.close(ec);
    end_idle(State::idle);
    asio::steady_timer second(acceptor_.get_executor(), std::chrono::seconds(1));
    if (!connections_.empty()) co_await second.async_wait(asio::use_awaitable);
    end_idle(State::fresh);
  }

 private:
  enum class State { fresh, idle, reading, busy };  // fresh: nothing has come yet. busy: it waits for us.
  struct Connection {
    beast::tcp_stream stream;
    State state = State::fresh;
  };
  using Place = std::list<Connection>::iterator;
  using Parser = http::request_parser<http::string_body>;

  asio::awaitable<void> accept() {
    while (acceptor_.is_open()) {
      beast::error_code ec;
      auto socket = co_await acceptor_.async_accept(asio::redirect_error(asio::use_awaitable, ec));
      if (!ec) {
        start(std::move(socket));
      } else if (acceptor_.is_open()) {  // too many files are open, or the client is gone
        make_room();
        asio::steady_timer pause(acceptor_.get_executor(), std::chrono::milliseconds(10));
        co_await pause.async_wait(asio::use_awaitable);
      }
    }
  }

  void start(asio::ip::tcp::socket socket) {
    if (connections_.size() >= connections && !make_room()) return;
    connections_.push_back({beast::tcp_stream(std::move(socket))});
    const Place place = std::prev(connections_.end());
    asio::co_spawn(acceptor_.get_executor(), serve(place),
                   [this, place](std::exception_ptr) { connections_.erase(place); });
  }

  /// Ends the connection that has been waiting for its client for the longest time. So idle ones keep none out.
  bool make_room() {
    for (auto& connection : connections_) {
      if (connection.state == State::busy || !connection.stream.socket().is_open()) continue;
      connection.stream.close();
      return true;
    }
    return false;
  }

  void end_idle(State state) {
    beast::error_code ec;
    for (auto& [stream, its_state] : connections_) {
      if (its_state == state && stream.socket().available(ec) == 0) stream.cancel();
    }
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
    for (bool goes_on = true; goes_on;) {
      if (buffer.size() == 0) {
        stream.expires_after(idle_time);
        buffer.commit(co_await stream.async_read_some(buffer.prepare(1024), token));
        if (ec) break;
      }
      wait_for_client(place, State::reading);
      stream.expires_after(request_time);
      Parser parser;
      const Answer answer = co_await answer_to(place, buffer, parser);
      goes_on = answer.status != 0 && parser.is_done() && parser.keep_alive() && !ending_;
      if (answer.status != 0) {
        http::response<http::string_body> response(http::status(answer.status), 11, answer.text + '\n');
        response.set(http::field::content_type, "text/plain");
        if (!answer.allow.empty()) response.set(http::field::allow, answer.allow);
        response.keep_alive(goes_on);
        response.prepare_payload();
        if (parser.get().method() == http::verb::head) response.body().clear();
        stream.expires_after(request_time);
        co_await http::async_write(stream, response, token);
        goes_on = goes_on && !ec;
      }
      if (answer.is_logged) log(answer, parser.get());
      wait_for_client(place, State::idle);
    }
    // What the client still sends is read, since to close the socket before would take the answer from it.
    place->state = State::reading;
    stream.socket().shutdown(asio::socket_base::shutdown_send, ec);
    stream.expires_after(std::chrono::seconds(2));
    while (!ec) {
      buffer.clear();
      co_await stream.async_read_some(buffer.prepare(4096), token);
    }
  }

  asio::awaitable<Answer> answer_to(Place place, beast::flat_buffer& buffer, Parser& parser) {
    beast::error_code ec;
    auto token = asio::redirect_error(asio::use_awaitable, ec);
    parser.header_limit(header_bytes);  // in Boost 1.74 of one line
    parser.body_limit(body_bytes);
    std::size_t size = 0;
    while (!ec && !parser.is_header_done() && size <= header_bytes) {
      size += co_await http::async_read_some(place->stream, buffer, parser, token);
    }
    const auto& request = parser.get();
    const auto lines = static_cast<std::size_t>(std::distance(request.begin(), request.end()));
    if (!ec && (size > header_bytes || lines > header_lines)) ec = http::error::header_limit;
    if (ec) co_return refusal(ec);
    Answer refused = check_(request);
    if (refused.status != 0) co_return refused;

    if (beast::iequals(request[http::field::expect], "100-continue")) {
      co_await asio::async_write(place->stream, asio::buffer("HTTP/1.1 100 Continue\r\n\r\n", 25), token);
    }
    parser.eager(true);  // reads all the chunks that have come at once
    bool is_large = false;
    while (!ec && !parser.is_done()) {
      if (!is_large && request.body().size() > small_body_bytes) {
        if (large_bodies_ == large_bodies) co_return refusal(503, "too many large requests");
        is_large = true;
        ++large_bodies_;
      }
      co_await http::async_read_some(place->stream, buffer, parser, token);
    }
    if (is_large) --large_bodies_;
    if (ec) co_return refusal(ec);
    place->state = State::busy;
    co_return co_await handle_(request);
  }

  static Answer refusal(unsigned status, std::string text) { return {status, std::move(text)}; }
  static Answer refusal(const beast::error_code& ec) {
    using http::error;
    if (ec == error::header_limit || ec == error::buffer_overflow) return refusal(431, "the header is too large");
    if (ec == error::body_limit) return refusal(413, "the body is too large");
    if (ec == error::partial_message) return refusal(400, "the request is incomplete");
    if (ec.category() == beast::error_code(error::bad_method).category()) return refusal(400, ec.message());
    return refusal(0, ec == beast::error::timeout ? "not a whole request in ten seconds" : ec.message());
  }

  void log(const Answer& answer, const Request& request) const {
    const std::string status = answer.status != 0 ? std::to_string(answer.status) : "---";
    std::string line = status + ' ';
    line.append(view(request.method_string())).append(" ").append(view(request.target()).substr(0, 100));
    line.append("  ").append(answer.text).append(answer.for_the_log);
    answer.status == 200 ? log_(line) : log_.refused(status, line);
  }

  asio::ip::tcp::acceptor acceptor_;
  const Log& log_;
  Check check_;
  Handle handle_;
  std::list<Connection> connections_;  // the one that has been waiting for the longest time first
  std::size_t large_bodies_ = 0;
  bool ending_ = false;
};
