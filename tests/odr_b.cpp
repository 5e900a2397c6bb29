// SPDX-License-Identifier: MIT
#include <anthropic/webhooks.hpp>
#include <anthropic/webhooks/timestamp.hpp>

#include <nlohmann/json.hpp>

#include <string>
#include <string_view>

#if !JSON_DIAGNOSTICS
#error "this file is to be compiled with JSON_DIAGNOSTICS=1"
#endif

using namespace anthropic::webhooks;

UnwrapWebhookEvent unwrap_in_b(std::string_view body) { return unwrap(body); }

UnwrapWebhookEvent from_json_in_b(std::string_view body) {
  return nlohmann::ordered_json::parse(body).get<UnwrapWebhookEvent>();
}

std::string to_json_in_b(const UnwrapWebhookEvent& event) { return nlohmann::ordered_json(event).dump(); }

std::string error_caught_in_b(UnwrapWebhookEvent (*unwrap)(std::string_view), std::string_view body) {
  try {
    static_cast<void>(unwrap(body));
  } catch (const WebhookParseError& e) {
    return e.what();
  }
  return "";
}

std::string error_of_try_unwrap_in_b(std::string_view body) {
  WebhookError error;
  static_cast<void>(try_unwrap(body, error));
  return error.what();
}
