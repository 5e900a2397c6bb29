// SPDX-License-Identifier: MIT
// A small server with cpp-httplib, which verifies each request and prints the event. The README starts with it.
#include <httplib.h>

#include <anthropic/webhooks/verify.hpp>
#include <cstdlib>
#include <iostream>

using namespace anthropic::webhooks;

// Call this for each request, in any HTTP server. It returns the status to answer with.
template <class Headers>
int receive(const WebhookVerifier& verifier, const std::string& body, const Headers& headers) {
  WebhookError error;
  const auto event = verifier.try_unwrap(body, headers, error);
  if (!event) {
    std::cerr << error.what() << std::endl;  // says why, and never shows a secret
    return error.http_status();
  }
  std::visit(
      overloaded{
          [](const BetaWebhookSessionStatusIdledEventData& e) { std::cout << "idle: " << e.id << std::endl; },
          [](const auto& e) { std::cout << "ignored: " << e.type << std::endl; },
      },
      event->data);
  return 204;
}

int serve(const WebhookVerifier& verifier, int port);  // your HTTP server

int main(int argc, char** argv) try {
  const WebhookVerifier verifier(std::getenv("ANTHROPIC_WEBHOOK_SIGNING_KEY"));  // one for all threads
  return serve(verifier, argc > 1 ? std::stoi(argv[1]) : 8080);
} catch (const std::exception& e) {
  std::cerr << e.what() << std::endl;
  return 1;
}

// cpp-httplib decompresses a body before a handler sees it, and set_payload_max_length() does not bound the
// result or, before version 0.20.1, a chunked body. So this refuses encoded bodies before it reads them, and
// reads all others in pieces.
int serve(const WebhookVerifier& verifier, int port) {
  httplib::Server server;
  server.set_keep_alive_max_count(1);  // since it does not read all of a body that it refuses
  server.set_pre_routing_handler([](const httplib::Request& request, httplib::Response& response) {
    const bool here = request.method == "POST" && request.path == "/webhooks";
    response.status = here ? 415 : 404;
    const bool plain = !request.has_header("Content-Encoding") && !request.is_multipart_form_data();
    return here && plain ? httplib::Server::HandlerResponse::Unhandled : httplib::Server::HandlerResponse::Handled;
  });
  server.Post("/webhooks", [&](const httplib::Request& request, httplib::Response& response, const auto& read) {
    std::string body;
    const bool whole = read([&](const char* data, std::size_t size) {
      if (body.size() + size > 1 << 20) return false;
      body.append(data, size);
      return true;
    });
    response.status = whole ? receive(verifier, body, request.headers) : 413;
  });
  if (!server.bind_to_port("127.0.0.1", port)) throw std::runtime_error("cannot listen on this port");
  std::cout << "listening on http://localhost:" << port << "/webhooks" << std::endl;
  return server.listen_after_bind() ? 0 : 1;
}
