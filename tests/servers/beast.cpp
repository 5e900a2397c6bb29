// SPDX-License-Identifier: MIT
#include <anthropic/webhooks/verify.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>

#include <cstdlib>
#include <iostream>

using namespace anthropic::webhooks;
namespace http = boost::beast::http;
using boost::asio::ip::tcp;

int main() {
  const WebhookVerifier verifier(std::getenv("ANTHROPIC_WEBHOOK_SIGNING_KEY"));
  boost::asio::io_context context;
  tcp::acceptor acceptor(context, {boost::asio::ip::address_v4::loopback(), 0});
  std::cout << acceptor.local_endpoint().port() << std::endl;
  while (true) {
    boost::beast::tcp_stream stream(acceptor.accept());
    boost::beast::flat_buffer buffer;
    boost::beast::error_code failed;
    http::request<http::string_body> request;
    http::read(stream, buffer, request, failed);
    if (failed) continue;
    WebhookError error;
    const auto event = verifier.try_unwrap(
        request.body(), [&](const char* name) { return request[name]; }, error);
    http::response<http::empty_body> response;
    response.result(static_cast<unsigned>(event ? 204 : error.http_status()));
    response.prepare_payload();
    http::write(stream, response, failed);
  }
}
