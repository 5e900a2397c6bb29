// SPDX-License-Identifier: MIT
// For brevity, this serves one connection at a time, without a time-out. examples/receiver/http.hpp has both.
#include <anthropic/webhooks/verify.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>

#include <cstdint>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <string>

using namespace anthropic::webhooks;
namespace http = boost::beast::http;
using boost::asio::ip::tcp;

// Returns the status to answer with.
int receive(const WebhookVerifier& verifier, const http::request<http::string_body>& request) {
  if (request.count(http::field::content_encoding) > 0) return 415;
  WebhookError error;
  const auto event = verifier.try_unwrap(
      request.body(), [&](const char* name) { return request[name]; }, error);
  if (!event) {
    std::cerr << error.what() << std::endl;
    return error.http_status();
  }
  std::cout << event_type(event->data) << std::endl;  // handle it here
  return 204;
}

int main(int argc, char** argv) try {
  const WebhookVerifier verifier(std::getenv("ANTHROPIC_WEBHOOK_SIGNING_KEY"));
  const auto port = static_cast<std::uint16_t>(argc > 1 ? std::stoi(argv[1]) : 8080);
  boost::asio::io_context context;
  tcp::acceptor acceptor(context, {boost::asio::ip::address_v4::loopback(), port});
  std::cout << "listening on http://localhost:" << port << "/webhooks" << std::endl;
  while (true) {
    boost::beast::tcp_stream stream(acceptor.accept());
    boost::beast::flat_buffer buffer;
    http::request_parser<http::string_body> parser;
    parser.body_limit(1 << 20);
    boost::beast::error_code failed;
    http::read(stream, buffer, parser, failed);
    if (failed && failed != http::error::body_limit) continue;
    http::response<http::empty_body> response;
    response.result(static_cast<unsigned>(failed ? 413 : receive(verifier, parser.get())));
    response.prepare_payload();
    http::write(stream, response, failed);
  }
} catch (const std::exception& e) {
  std::cerr << e.what() << std::endl;
  return 1;
}
