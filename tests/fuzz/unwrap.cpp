// SPDX-License-Identifier: MIT
// try_unwrap() turns any bytes into an event or one of its errors, and events survive a round trip through JSON.
#include <anthropic/webhooks.hpp>

#include "../ways.hpp"
#include "require.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace webhooks = anthropic::webhooks;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view body(reinterpret_cast<const char*>(data), size);
  webhooks::WebhookError error(webhooks::WebhookErrc::invalid_secret, "/before", "before");
  const auto event = webhooks::try_unwrap(body, error);
  if (event) {
    require(error.code() == webhooks::WebhookErrc::none, "an event comes with no error");
    ways::outcome once{*event, webhooks::WebhookErrc::none, "", ""};
    auto again = ways::outcome_of([&](auto& read) { read = webhooks::unwrap(nlohmann::json(*event).dump()); });
    if (ways::verdict_of_nlohmann(ways::without_lone_surrogates(body)).kind == ways::verdict::beyond_double)
      return 0;  // which nlohmann::json cannot hold
    auto& text = ways::text_of_unknown(once);
    if (!text.empty()) text = nlohmann::json::parse(ways::without_lone_surrogates(text)).dump();
    require(ways::same(once, again), "it survives a round trip through JSON");
  } else {
    require(error.code() >= webhooks::WebhookErrc::invalid_json && error.http_status() == 400,
            "the body is at fault");
    require(error.path().empty() || error.path()[0] == '/', "the path is a JSON Pointer");
    require(*error.what() != '\0', "the error says something");
    for (const char c : std::string_view(error.what()))
      require(c >= ' ' && c <= '~', "the error is one line of ASCII");
  }
  return 0;
}
