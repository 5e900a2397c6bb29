// SPDX-License-Identifier: MIT
// Before cpp-httplib 0.20.1, set_payload_max_length() does not bound a chunked body: examples/server.cpp does.
#include <anthropic/webhooks/verify.hpp>

#include <httplib.h>

#include <cstdlib>
#include <exception>
#include <iostream>
#include <string>

using namespace anthropic::webhooks;

// Returns the status to answer with.
int receive(const WebhookVerifier& verifier, const httplib::Request& request) {
  WebhookError error;
  const auto event = verifier.try_unwrap(request.body, request.headers, error);
  if (!event) {
    std::cerr << error.what() << std::endl;
    return error.http_status();
  }
  std::cout << event_type(event->data) << std::endl;  // handle it here
  return 204;
}

int main(int argc, char** argv) try {
  const WebhookVerifier verifier(std::getenv("ANTHROPIC_WEBHOOK_SIGNING_KEY"));
  const int port = argc > 1 ? std::stoi(argv[1]) : 8080;
  httplib::Server server;
  server.set_payload_max_length(1 << 20);
  server.set_keep_alive_max_count(1);  // the body of a refused request is not read
  server.set_pre_routing_handler([](const httplib::Request& request, httplib::Response& response) {
    if (!request.has_header("Content-Encoding")) return httplib::Server::HandlerResponse::Unhandled;
    response.status = 415;  // here, before the body is decompressed
    return httplib::Server::HandlerResponse::Handled;
  });
  server.Post("/webhooks", [&](const httplib::Request& request, httplib::Response& response) {
    response.status = receive(verifier, request);
  });
  if (!server.bind_to_port("127.0.0.1", port)) throw std::runtime_error("cannot listen on this port");
  std::cout << "listening on http://localhost:" << port << "/webhooks" << std::endl;
  return server.listen_after_bind() ? 0 : 1;
} catch (const std::exception& e) {
  std::cerr << e.what() << std::endl;
  return 1;
}
