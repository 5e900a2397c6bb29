// SPDX-License-Identifier: MIT
// expect: invoke_result<.*overloaded<.*BetaWebhookSessionPendingEventData
#include <anthropic/webhooks/events.hpp>

#include <variant>

using namespace anthropic::webhooks;

bool is_session_created(const BetaWebhookEventData& data) {
  return std::visit(overloaded{
                        [](const BetaWebhookSessionCreatedEventData&) { return true; },
                        [](const BetaWebhookUnknownEventData&) { return false; },
#ifndef FAIL
                        [](const auto&) { return false; },
#endif
                    },
                    data);
}
