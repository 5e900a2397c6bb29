#include <anthropic/webhooks.hpp>
#include <iostream>

using namespace anthropic::webhooks;

void handle(std::string_view body) {
  const UnwrapWebhookEvent event = unwrap(body);
  std::visit(overloaded{
                 [](const BetaWebhookSessionStatusIdledEventData& e) { std::cout << "idle: " << e.id << '\n'; },
                 [](const BetaWebhookVaultCredentialRefreshFailedEventData& e) {
                   std::cout << "renew " << e.id << " of vault " << e.vault_id << '\n';
                 },
                 [](const auto& e) { std::cout << "ignored: " << e.type << '\n'; },
             },
             event.data);
}

int main() {
  handle(R"({"id":"whe_0f1e2d3c4b5a69788796a5b4c3d2e1f0","created_at":"2026-03-15T10:00:00Z","data":{)"
         R"("id":"sesn_011CZkZAtmR3yMPDzynEDxu7","organization_id":"org_011CZkZZAe0sMna4vkBdtrfx",)"
         R"("type":"session.status_idled","workspace_id":"wrkspc_011CZkZaBF1tNoB5wlCeusgy"},"type":"event"})");
}
