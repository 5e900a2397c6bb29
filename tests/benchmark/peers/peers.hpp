// SPDX-License-Identifier: MIT
#pragma once

#include <anthropic/webhooks/events.hpp>

#include <string_view>

/// Ways from a body to an event. Each is true to its library's own advice for speed, keeps its parser and
/// buffers between calls, and throws where unwrap() would, except that it refuses an event type it does not know.
namespace peers {

using anthropic::webhooks::UnwrapWebhookEvent;

UnwrapWebhookEvent unwrap(std::string_view body);  // this library's, in a file of its own as the others are
UnwrapWebhookEvent nlohmann_dom(std::string_view body);
UnwrapWebhookEvent nlohmann_sax(std::string_view body);
UnwrapWebhookEvent rapidjson_sax(std::string_view body);
UnwrapWebhookEvent rapidjson_sax_utf8(std::string_view body);  // checks that strings are UTF-8, as the others do
UnwrapWebhookEvent simdjson_on_demand(std::string_view body);
UnwrapWebhookEvent boost_json_sax(std::string_view body);

}  // namespace peers
