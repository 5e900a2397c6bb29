// SPDX-License-Identifier: MIT
// RESTinio closes the connection without an answer if a body exceeds the limit.
#include <anthropic/webhooks/verify.hpp>

#include <restinio/all.hpp>

#include <cstdint>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <string>

using namespace anthropic::webhooks;

// Returns the status to answer with.
int receive(const WebhookVerifier& verifier, const restinio::request_handle_t& request) {
  if (request->header().has_field(restinio::http_field::content_encoding)) return 415;
  WebhookError error;
  const auto event = verifier.try_unwrap(
      request->body(), [&](const char* name) { return request->header().try_get_field(name); }, error);
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
  const auto handle = [&](const restinio::request_handle_t& request) {
    const auto status = static_cast<std::uint16_t>(receive(verifier, request));
    return request->create_response({restinio::http_status_code_t(status), ""}).done();
  };
  std::cout << "listening on http://localhost:" << port << "/webhooks" << std::endl;
  restinio::run(restinio::on_this_thread()
                    .address("127.0.0.1")
                    .port(port)
                    .incoming_http_msg_limits(restinio::incoming_http_msg_limits_t{}.max_body_size(1 << 20))
                    .request_handler(handle));
} catch (const std::exception& e) {
  std::cerr << e.what() << std::endl;
  return 1;
}
