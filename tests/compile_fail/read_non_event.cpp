// SPDX-License-Identifier: MIT
// expect: no matching (member )?function for call to .*get(<Data>|')
#include <anthropic/webhooks/json.hpp>

#include <nlohmann/json.hpp>

#include <string>

#ifdef FAIL
struct Data {
  std::string id, organization_id, workspace_id;
};
#else
using Data = anthropic::webhooks::BetaWebhookSessionCreatedEventData;
#endif

Data read(const nlohmann::json& json) { return json.get<Data>(); }
