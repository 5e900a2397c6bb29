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
  server.Post("/webhooks", [&](const httplib::Request& request, httplib::Response& response) {
    WebhookError error;
    const auto event = verifier.try_unwrap(request.body, request.headers, error);
    if (event) handle(*event);
    if (!event) std::cerr << error.what() << std::endl;
    response.status = event ? 204 : error.http_status();  // 401 where the signature is not right
  });
  if (server.listen("127.0.0.1", argc > 1 ? std::stoi(argv[1]) : 8080)) return 0;
  std::cerr << "cannot listen on this port" << std::endl;
  return 1;
}
