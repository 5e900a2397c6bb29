// SPDX-License-Identifier: MIT
// A server that strangers may talk to: HTTP with Boost.Beast, in one thread, with a bound for all that they can
// do.
#pragma once

#include "log.hpp"

#include <boost/asio.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <utility>  // which Boost 1.74 forgets to include

#include <list>
#include <sstream>

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;

using Request = http::request<http::string_body>;

struct Answer {
  unsigned status = 0;
  std::string text{}, for_the_log{}, allow{};  // allow: the header of that name
  bool is_logged = true;
};

inline std::string_view view(beast::string_view text) { return {text.data(), text.size()}; }

class Server {
 public:
  static constexpr std::size_t header_bytes = 16 << 10, header_lines = 100, body_bytes = 1 << 20;
  static constexpr std::size_t small_body_bytes = 64 << 10, large_bodies = 32;  // that are read at the same time
  static constexpr std::size_t connections = 900;  // a process may usually open 1024 files
  // The time for a request, from its first byte to its last, and the time between requests. A proxy keeps idle
  // connections for up to two minutes, and ends them itself.
  static constexpr std::chrono::seconds request_time{10}, idle_time{150};

  explicit Server(asio::io_context& io) : acceptor_(io) {}
  virtual ~Server() = default;

  /// Returns its URL. For port 0 it takes a free one. Throws std::runtime_error.
  std::string listen(const std::string& address, int port) try {
    const asio::ip::tcp::endpoint endpoint(asio::ip::make_address(address), static_cast<std::uint16_t>(port));
    acceptor_.open(endpoint.protocol());
    acceptor_.set_option(asio::socket_base::reuse_address(true));
    acceptor_.bind(endpoint);
    acceptor_.listen();
    acceptor_.non_blocking(true);  // for stop()
    asio::co_spawn(acceptor_.get_executor(), accept(), asio::detached);
    std::ostringstream url;
    url << "http://" << acceptor_.local_endpoint();
    return url.str();
  } catch (const std::exception& e) {
    throw std::runtime_error("cannot listen on " + address + ", port " + std::to_string(port) + ": " + e.what());
  }

  /// From now on, each answer ends its connection.
  void end_connections() { is_ending_ = true; }

  /// Stops listening. The requests that have come are still answered.
  asio::awaitable<void> stop() {
    beast::error_code ec;
    while (!ec) {  // those that wait in the socket's queue would be reset
      auto socket = acceptor_.accept(ec);
      if (!ec) start(std::move(socket));
    }
    acceptor_.close(ec);
    end_connections();
    end_those(State::idle);
    if (!connections_.empty()) co_await pause(std::chrono::seconds(1));
    end_those(State::fresh);
  }

 protected:
  /// Returns an answer with a status other than 0 to refuse a request for its header, before its body is read.
  virtual Answer check(const Request& header) const = 0;
  virtual asio::awaitable<Answer> answer(const Request& request) = 0;
  [[nodiscard]] bool is_ending() const { return is_ending_; }

 private:
  enum class State { fresh, idle, reading, busy };  // fresh: nothing has come yet. busy: the client waits for us.
  struct Connection {
    beast::tcp_stream stream;
    State state = State::fresh;
  };
  using Place = std::list<Connection>::iterator;
  using Parser = http::request_parser<http::string_body>;

  asio::awaitable<void> pause(std::chrono::milliseconds time) {
    asio::steady_timer timer(acceptor_.get_executor(), time);
    co_await timer.async_wait(asio::use_awaitable);
  }

  asio::awaitable<void> accept() {
    while (acceptor_.is_open()) {
      beast::error_code ec;
      auto socket = co_await acceptor_.async_accept(asio::redirect_error(asio::use_awaitable, ec));
      if (!ec) {
        start(std::move(socket));
      } else if (acceptor_.is_open()) {  // perhaps too many files are open
        make_room();
        co_await pause(std::chrono::milliseconds(10));
      }
    }
  }

  void start(asio::ip::tcp::socket socket) {
    if (connections_.size() >= connections && !make_room()) return;
    connections_.push_back({beast::tcp_stream(std::move(socket))});
    const Place place = std::prev(connections_.end());
    asio::co_spawn(acceptor_.get_executor(), serve(place), [this, place](auto) { connections_.erase(place); });
  }

  /// Ends the connection that has been waiting for its client for the longest time. So idle ones keep nobody out.
  bool make_room() {
    const auto can_go = [](auto& each) { return each.state != State::busy && each.stream.socket().is_open(); };
    const auto first = std::find_if(connections_.begin(), connections_.end(), can_go);
    if (first != connections_.end()) first->stream.close();
    return first != connections_.end();
  }

  void end_those(State state) {
    beast::error_code ec;
    for (auto& each : connections_) {
      if (each.state == state && each.stream.socket().available(ec) == 0) each.stream.cancel();
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
    for (bool goes_on = true; goes_on; wait_for_client(place, State::idle)) {
      if (buffer.size() == 0) {
        stream.expires_after(idle_time);
        buffer.commit(co_await stream.async_read_some(buffer.prepare(1024), token));
        if (ec) break;
      }
      wait_for_client(place, State::reading);
      stream.expires_after(request_time);
      Parser parser;
      const Answer answer = co_await read_and_answer(place, buffer, parser);
      goes_on = parser.is_done() && parser.keep_alive() && !is_ending_;
      if (answer.status != 0) {
        http::response<http::string_body> response(http::status(answer.status), 11, answer.text + '\n');
        response.set(http::field::content_type, "text/plain");
        if (!answer.allow.empty()) response.set(http::field::allow, answer.allow);
        response.keep_alive(goes_on);
        response.prepare_payload();
        if (parser.get().method() == http::verb::head) response.body().clear();
        stream.expires_after(request_time);
        co_await http::async_write(stream, response, token);
      }
      goes_on = goes_on && !ec && answer.status != 0;
      if (answer.is_logged) log(answer, parser.get());
    }
    // To close a socket from which not all was read would take the answer from the client.
    place->state = State::reading;
    stream.socket().shutdown(asio::socket_base::shutdown_send, ec);
    for (stream.expires_after(std::chrono::seconds(2)); !ec; buffer.clear()) {
      co_await stream.async_read_some(buffer.prepare(4096), token);
    }
  }

  /// Returns an answer with the status 0 where nobody waits for one.
  asio::awaitable<Answer> read_and_answer(Place place, beast::flat_buffer& buffer, Parser& parser) {
    beast::error_code ec;
    auto token = asio::redirect_error(asio::use_awaitable, ec);
    const Request& request = parser.get();
    parser.header_limit(header_bytes);  // in Boost 1.74 for a line
    parser.body_limit(body_bytes);
    std::size_t size = 0;
    while (!ec && !parser.is_header_done() && size <= header_bytes) {
      size += co_await http::async_read_some(place->stream, buffer, parser, token);
    }
    const auto lines = static_cast<std::size_t>(std::distance(request.begin(), request.end()));
    if (!ec && (size > header_bytes || lines > header_lines)) ec = http::error::header_limit;
    if (ec) co_return refusal(ec);
    Answer refused = check(request);
    if (refused.status != 0) co_return refused;

    if (beast::iequals(request[http::field::expect], "100-continue")) {
      const std::string_view go_on = "HTTP/1.1 100 Continue\r\n\r\n";
      co_await asio::async_write(place->stream, asio::buffer(go_on), token);
    }
    parser.eager(true);  // all the chunks that have come at once
    bool is_large = false;
    while (!ec && !parser.is_done()) {
      co_await http::async_read_some(place->stream, buffer, parser, token);
      if (!is_large && request.body().size() > small_body_bytes) {
        if (large_bodies_ == large_bodies) co_return Answer{503, "too many large requests"};
        is_large = true;
        ++large_bodies_;
      }
    }
    if (is_large) --large_bodies_;
    if (ec) co_return refusal(ec);
    place->state = State::busy;
    co_return co_await answer(request);
  }

  static Answer refusal(const beast::error_code& ec) {
    using http::error;
    if (ec == error::header_limit || ec == error::buffer_overflow) return {431, "the header is too large"};
    if (ec == error::body_limit) return {413, "the body is too large"};
    if (ec == error::partial_message) return {400, "the request is incomplete"};
    if (ec.category() == beast::error_code(error::bad_method).category()) return {400, ec.message()};
    return {0, ec == beast::error::timeout ? "no whole request in ten seconds" : ec.message()};
  }

  static void log(const Answer& answer, const Request& request) {
    std::string line = answer.status != 0 ? std::to_string(answer.status) : "---";
    line.append(" ").append(view(request.method_string())).append(" ");
    line.append(view(request.target()).substr(0, 100)).append("  ").append(answer.text).append(answer.for_the_log);
    answer.status == 200 ? the_log.line(line) : the_log.refused(line);
  }

  asio::ip::tcp::acceptor acceptor_;
  std::list<Connection> connections_;  // the one that has been waiting for the longest time comes first
  std::size_t large_bodies_ = 0;
  bool is_ending_ = false;
};
