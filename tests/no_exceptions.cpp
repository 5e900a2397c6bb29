// SPDX-License-Identifier: MIT
// The events need neither exceptions nor RTTI.
#include <anthropic/webhooks/error.hpp>
#include <anthropic/webhooks/events.hpp>
#include <anthropic/webhooks/resource.hpp>

using namespace anthropic::webhooks;

bool is_created(const BetaWebhookEvent& a, const BetaWebhookEvent& b) {
  return a == b && event_type(a.data) == BetaWebhookSessionCreatedEventData::type &&
         std::visit(overloaded{[](const BetaWebhookSessionCreatedEventData&) { return true; },
                               [](const auto&) { return false; }},
                    b.data);
}

bool is_there(const BetaWebhookEvent& event) { return resource_of(event.data).has_value(); }
