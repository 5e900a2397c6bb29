// SPDX-License-Identifier: MIT
#pragma once

#include <anthropic/webhooks/events.hpp>

#include <string_view>

/// Functions from a body to an event. Each follows its library's own advice for speed, keeps its parser and
/// buffers between calls, and throws whenever unwrap() would, but also for an unknown event type.
namespace peers {

using anthropic::webhooks::UnwrapWebhookEvent;

UnwrapWebhookEvent unwrap(std::string_view body);  // this library's, in its own file like the others
UnwrapWebhookEvent nlohmann_dom(std::string_view body);
UnwrapWebhookEvent nlohmann_sax(std::string_view body);
UnwrapWebhookEvent rapidjson_sax(std::string_view body);
UnwrapWebhookEvent rapidjson_sax_utf8(std::string_view body);  // checks that strings are UTF-8, like the others
UnwrapWebhookEvent simdjson_on_demand(std::string_view body);
UnwrapWebhookEvent boost_json_sax(std::string_view body);

}  // namespace peers
