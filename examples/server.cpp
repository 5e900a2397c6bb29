// SPDX-License-Identifier: MIT
// A small server with cpp-httplib. It verifies each request and prints what it is; the README begins with its
// core.
#include <httplib.h>

#include <anthropic/webhooks/verify.hpp>
#include <cstdlib>
#include <iostream>

using namespace anthropic::webhooks;

const WebhookVerifier verifier(std::getenv("ANTHROPIC_WEBHOOK_SIGNING_KEY"));  // one for all threads

// Call this for each request, in any HTTP server. It returns the status to answer with.
template <class Headers>
int receive(const std::string& body, const Headers& headers) {
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

int main(int argc, char** argv) {
  httplib::Server server;
  server.set_keep_alive_max_count(1);  // since it does not read all of a body that it refuses
  server.set_pre_routing_handler([](const httplib::Request& request, httplib::Response& response) {
    const bool here = request.method == "POST" && request.path == "/webhooks";
    response.status = here ? 415 : 404;
    const bool plain = !request.has_header("Content-Encoding") && !request.is_multipart_form_data();
    return here && plain ? httplib::Server::HandlerResponse::Unhandled : httplib::Server::HandlerResponse::Handled;
  });
  server.Post("/webhooks", [](const httplib::Request& request, httplib::Response& response, const auto& read) {
    std::string body;
    const bool whole = read([&](const char* data, std::size_t size) {
      if (body.size() + size > 1 << 20) return false;
      body.append(data, size);
      return true;
    });
    response.status = whole ? receive(body, request.headers) : 413;
  });
  const int port = argc > 1 ? std::stoi(argv[1]) : 8080;
  if (!server.bind_to_port("127.0.0.1", port)) {
    std::cerr << "cannot listen on port " << port << std::endl;
    return 1;
  }
  std::cout << "listening on http://localhost:" << port << "/webhooks" << std::endl;
  return server.listen_after_bind() ? 0 : 1;
}
