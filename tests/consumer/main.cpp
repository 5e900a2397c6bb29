#include <anthropic/webhooks.hpp>
#include <iostream>

int main() {
  const auto event = anthropic::webhooks::unwrap(
      R"({"id":"whe_1","created_at":"2026-03-15T10:00:00Z","type":"event",)"
      R"("data":{"type":"vault.created","id":"vlt_1","organization_id":"org_1","workspace_id":"wrkspc_1"}})");
  std::cout << anthropic::webhooks::event_type(event.data) << '\n';
}
