// SPDX-License-Identifier: MIT
// With -fno-exceptions: on failure, each try_ function returns std::nullopt and sets an error.
#include <anthropic/webhooks/verify.hpp>

#include <chrono>
#include <cstdio>
#include <map>
#include <string>

using namespace anthropic::webhooks;

int main() {
  // A receiver would take what std::getenv() returns. If that is null, try_make() fails.
  const char* const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
  WebhookError error;
  const auto verifier = WebhookVerifier::try_make({secret}, error);
  if (!verifier) {
    std::printf("%s\n", error.what());
    return 1;
  }

  // A delivery from March 2026, and the time when it arrived.
  const std::chrono::system_clock::time_point now{std::chrono::seconds{1773568802}};
  const std::map<std::string, std::string> headers{
      {"webhook-id", "whe_0f1e2d3c4b5a69788796a5b4c3d2e1f0"},
      {"webhook-timestamp", "1773568801"},
      {"webhook-signature", "v1,NtjaMJSAYpUMlUlLBP3BpD+iWiCPZ1j1JyL7h6IaphY="}};
  const std::string body =
      R"({"id":"whe_0f1e2d3c4b5a69788796a5b4c3d2e1f0","created_at":"2026-03-15T10:00:00Z","data":{)"
      R"("id":"sesn_011CZkZAtmR3yMPDzynEDxu7","organization_id":"org_011CZkZZAe0sMna4vkBdtrfx",)"
      R"("type":"session.status_idled","workspace_id":"wrkspc_011CZkZaBF1tNoB5wlCeusgy"},"type":"event"})";
  for (const auto& received : {body, body + "\n"}) {
    if (const auto event = verifier->try_unwrap(received, headers, error, now)) {
      std::printf("%s\n", std::string(event_type(event->data)).c_str());
    } else {
      std::printf("%d %s: %s\n", error.http_status(), std::string(to_string(error.code())).c_str(), error.what());
    }
  }
}
