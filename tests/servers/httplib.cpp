// SPDX-License-Identifier: MIT
#include <anthropic/webhooks/verify.hpp>

#include <httplib.h>

#include <cstdlib>
#include <iostream>

using namespace anthropic::webhooks;

int main() {
  const WebhookVerifier verifier(std::getenv("ANTHROPIC_WEBHOOK_SIGNING_KEY"));
  httplib::Server server;
  server.Post("/webhooks", [&](const httplib::Request& request, httplib::Response& response) {
    WebhookError error;
    const auto event = verifier.try_unwrap(request.body, request.headers, error);
    response.status = event ? 204 : error.http_status();
  });
  std::cout << server.bind_to_any_port("127.0.0.1") << std::endl;
  server.listen_after_bind();
}
