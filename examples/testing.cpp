// SPDX-License-Identifier: MIT
// Tests a handler: with an event made by hand, and with a signed delivery.
#include <anthropic/webhooks/json.hpp>
#include <anthropic/webhooks/verify.hpp>

#include <nlohmann/json.hpp>

#include <iostream>

using namespace anthropic::webhooks;

// The handler to test.
std::string handle(const BetaWebhookEvent& event) {
  return std::string(event_type(event.data)) + " of " + event.id;
}

int main() {
  const BetaWebhookEvent event{"whe_1", {}, BetaWebhookSessionStatusIdledEventData{"sesn_1", "org_1", "wrkspc_1"}};
  const bool handled = handle(event) == "session.status_idled of whe_1";

  const WebhookVerifier verifier("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
  const std::string body = nlohmann::ordered_json(event).dump();
  const auto headers = verifier.signed_headers(event.id, body);  // what the service would send with it
  const bool verified = verifier.unwrap(body, headers) == event;

  std::cout << (handled && verified ? "passed" : "FAILED") << '\n';
  return handled && verified ? 0 : 1;
}
