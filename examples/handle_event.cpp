#include <anthropic/webhooks/verify.hpp>
#include <iostream>

using namespace anthropic::webhooks;

template <class Headers>  // a map, a look-up function: whatever your server has
int handle_webhook(const WebhookVerifier& verifier, std::string_view body, const Headers& headers) try {
  const auto event = verifier.unwrap(body, headers);
  std::visit(overloaded{
                 [](const BetaWebhookSessionStatusIdledEventData& e) { std::cout << "idle: " << e.id << '\n'; },
                 [](const BetaWebhookVaultCredentialRefreshFailedEventData& e) {
                   std::cout << "renew: " << e.id << '\n';
                 },
                 [](const auto& e) { std::cout << "ignored: " << e.type << '\n'; },
             },
             event.data);
  return 204;
} catch (const WebhookError& e) {
  std::cerr << e.what() << '\n';
  return e.http_status();  // 401: not signed with the secret; 400: signed, but no event
}

#include <map>

int main() {
  const WebhookVerifier verifier("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
  const std::string body =
      R"({"id":"whe_0f1e2d3c4b5a69788796a5b4c3d2e1f0","created_at":"2026-03-15T10:00:00Z","data":{)"
      R"("id":"sesn_011CZkZAtmR3yMPDzynEDxu7","organization_id":"org_011CZkZZAe0sMna4vkBdtrfx",)"
      R"("type":"session.status_idled","workspace_id":"wrkspc_011CZkZaBF1tNoB5wlCeusgy"},"type":"event"})";

  const auto now = std::chrono::system_clock::now();
  const auto seconds = std::chrono::floor<std::chrono::seconds>(now).time_since_epoch().count();
  std::map<std::string, std::string> headers{{"Webhook-Id", "msg_1"},
                                             {"Webhook-Timestamp", std::to_string(seconds)},
                                             {"Webhook-Signature", verifier.sign("msg_1", now, body)}};
  std::cout << handle_webhook(verifier, body, headers) << '\n';
  headers["Webhook-Id"] = "msg_2";
  std::cout << handle_webhook(verifier, body, headers) << '\n';
}
