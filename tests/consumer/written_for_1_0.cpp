// Code of the time when the library knew 22 event types. It compiles, and does what the README promises, with
// more.
#include <anthropic/webhooks.hpp>

#include <iostream>
#include <string>

using namespace anthropic::webhooks;

std::string handle(const UnwrapWebhookEvent& event) {
  if (event_type(event.data) == "agent.created") return "an agent, by its tag";  // it had no struct then
  return std::visit(overloaded{
                        [](const BetaWebhookSessionIdledEventData& idled) { return "idle: " + idled.id; },
                        [](const BetaWebhookUnknownEventData& unknown) { return "unknown: " + unknown.type; },
                        [](const auto& other) { return "ignored: " + std::string(other.type); },
                    },
                    event.data);
}

int main() {
  const auto handled = [](const std::string& type) {
    return handle(unwrap(R"({"id":"whe_1","created_at":"2026-03-15T10:00:00Z","type":"event","data":{"type":")" +
                         type + R"(","id":"x_1","organization_id":"org_1","workspace_id":"wrkspc_1"}})"));
  };
  const bool good = handled("session.idled") == "idle: x_1" &&
                    handled("vault.created") == "ignored: vault.created" &&
                    handled("agent.created") == "an agent, by its tag" &&
                    handled("agent.deleted") == "ignored: agent.deleted" &&  // which was unknown then
                    handled("workflow.published") == "unknown: workflow.published";
  static_assert(std::is_same_v<std::variant_alternative_t<21, BetaWebhookEventData>,
                               BetaWebhookVaultCredentialRefreshFailedEventData>);  // places do not change
  std::cout << (good ? "as promised\n" : "not as promised\n");
  return good ? 0 : 1;
}
