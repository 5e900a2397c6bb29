// SPDX-License-Identifier: MIT
// How to call a verifier, with the types that it takes and returns.
#include <anthropic/webhooks/verify.hpp>

#include <chrono>
#include <cstddef>
#include <iostream>
#include <optional>
#include <string>

using namespace anthropic::webhooks;

int main() {
  const std::string new_secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
  const std::string old_secret = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
  const std::string bytes = "any bytes, at least one";
  const std::string id = "whe_0f1e2d3c4b5a69788796a5b4c3d2e1f0";
  const std::string body =
      R"({"id":"whe_0f1e2d3c4b5a69788796a5b4c3d2e1f0","created_at":"2026-03-15T10:00:00Z","data":{)"
      R"("id":"sesn_011CZkZAtmR3yMPDzynEDxu7","organization_id":"org_011CZkZZAe0sMna4vkBdtrfx",)"
      R"("type":"session.status_idled","workspace_id":"wrkspc_011CZkZaBF1tNoB5wlCeusgy"},"type":"event"})";

  // Make one verifier at start-up. The constructor throws if a secret is malformed.
  WebhookVerifier verifier(new_secret);                          // or what std::getenv() returns
  WebhookVerifier strict(new_secret, std::chrono::seconds{60});  // the default is 5 minutes
  WebhookVerifier rotating({new_secret, old_secret});            // accepts either
  WebhookVerifier raw = WebhookVerifier::from_raw_key(bytes);    // a key that is not base64

  // A signed delivery, to test your receiver.
  const auto headers = WebhookVerifier(old_secret).signed_headers(id, body);  // or what your server has

  // For each delivery, call one of these. On failure, unwrap() throws, and try_unwrap() sets `error`.
  UnwrapWebhookEvent event = rotating.unwrap(body, headers);
  WebhookError error;
  std::optional<UnwrapWebhookEvent> same = rotating.try_unwrap(body, headers, error);

  // To know which secret matched, call these two. verify() throws if none did, and unwrap() only parses.
  std::size_t index = rotating.verify(body, headers);  // 1: the old one
  event = unwrap(body);
  std::cout << event_type(event.data) << ", signed with secret " << index << '\n';
}
