// SPDX-License-Identifier: MIT
// A small server: it verifies each request, and says what it is. The README begins with it.
#include <httplib.h>
#include <anthropic/webhooks/verify.hpp>
#include <iostream>

using namespace anthropic::webhooks;

void handle(const BetaWebhookEvent& event) {
  std::visit(overloaded{
                 [](const BetaWebhookSessionStatusIdledEventData& e) { std::cout << "idle: " << e.id; },
                 [](const BetaWebhookVaultCredentialRefreshFailedEventData& e) { std::cout << "renew: " << e.id; },
                 [](const auto& e) { std::cout << "ignored: " << e.type; },
             },
             event.data);
  std::cout << std::endl;
}

int main(int argc, char** argv) {
  const WebhookVerifier verifier(std::getenv("ANTHROPIC_WEBHOOK_SIGNING_KEY"));
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
    if (!whole) return void(response.status = 413);
    WebhookError error;
    const auto event = verifier.try_unwrap(body, request.headers, error);
    if (event) handle(*event);
    if (!event) std::cerr << error.what() << std::endl;
    response.status = event ? 204 : error.http_status();  // 401 where the signature is not right
  });
  if (server.listen("127.0.0.1", argc > 1 ? std::stoi(argv[1]) : 8080)) return 0;
  std::cerr << "cannot listen on this port" << std::endl;
  return 1;
}
