#include <anthropic/webhooks.hpp>
#ifdef WITH_VERIFY
#include <anthropic/webhooks/verify.hpp>
#endif
#include <iostream>

int main() {
  const auto event = anthropic::webhooks::unwrap(
      R"({"id":"whe_1","created_at":"2026-03-15T10:00:00Z","type":"event",)"
      R"("data":{"type":"vault.created","id":"vlt_1","organization_id":"org_1","workspace_id":"wrkspc_1"}})");
#ifdef WITH_VERIFY
  if (anthropic::webhooks::WebhookVerifier("whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD").sign("1", {}, "").size() !=
      47)
    return 1;
#endif
  std::cout << anthropic::webhooks::event_type(event.data) << '\n';
}
