// SPDX-License-Identifier: MIT
// expect: no matching (function for call to .*basic_json\(const Data&\)|conversion .*from 'const Data')
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

nlohmann::json written(const Data& data) { return nlohmann::json(data); }
