// SPDX-License-Identifier: MIT
#if !defined(JSON_USE_IMPLICIT_CONVERSIONS) || JSON_USE_IMPLICIT_CONVERSIONS
#error "this file is to be compiled with JSON_USE_IMPLICIT_CONVERSIONS=0"
#endif

#include <anthropic/webhooks.hpp>

#include "catch.hpp"
#include "samples.hpp"

#include <nlohmann/json.hpp>

#include <string>
#include <type_traits>
#include <variant>

// A serializer as users write it to keep their own variants in JSON.
namespace nlohmann {
template <class... Ts>
struct adl_serializer<std::variant<Ts...>> {
  template <class Json>
  static void to_json(Json& json, const std::variant<Ts...>& variant) {
    json = variant.index();
  }
  template <class Json>
  static void from_json(const Json&, std::variant<Ts...>& variant) {
    variant = {};
  }
};
}  // namespace nlohmann

using namespace anthropic::webhooks;
using nlohmann::ordered_json;

TEST_CASE("events are read and written without implicit conversions, next to a serializer for any variant") {
  static_assert(!std::is_convertible_v<ordered_json, BetaWebhookEvent>);
  CHECK(ordered_json(std::variant<int, bool>(true)) == ordered_json(1));

  const std::string body = samples::fixture("vault_credential.created");
  const auto value = ordered_json::parse(body);
  const auto event = unwrap(body);
  CHECK(std::holds_alternative<BetaWebhookVaultCredentialCreatedEventData>(event.data));
  CHECK(value.get<BetaWebhookEvent>() == event);
  CHECK((value["data"].get<BetaWebhookEventData>() == event.data));
  CHECK(ordered_json(event).dump() == body);
  CHECK(ordered_json(event.data).dump() == value["data"].dump());
}
