#include <anthropic/webhooks.hpp>
#ifdef WITH_VERIFY
#include <anthropic/webhooks/verify.hpp>
#endif
#include <iostream>
#include <string>

#ifdef WITH_NOTIFIER
std::string type_of(const char* body);
#endif

int main() {
  using namespace anthropic::webhooks;
  [[maybe_unused]] const char* body =
      R"({"id":"whe_1","created_at":"2026-03-15T10:00:00Z","type":"event",)"
      R"("data":{"type":"vault.created","id":"vlt_1","organization_id":"org_1","workspace_id":"wrkspc_1"}})";
#ifdef ANTHROPIC_WEBHOOKS_NO_JSON  // Otherwise the headers will do: unwrap() is slow to compile.
  if (event_type(unwrap(body).data) != "vault.created") return 1;
#endif
#ifdef WITH_VERIFY
  if (WebhookVerifier("whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD").sign("1", {}, "").size() != 47) return 1;
#endif
#ifdef WITH_NOTIFIER
  if (type_of(body) != "vault.created") return 1;
#endif
  std::cout << event_type(BetaWebhookVaultCreatedEventData{"vlt_1", "org_1", "wrkspc_1"}) << '\n';
}
