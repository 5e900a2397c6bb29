// SPDX-License-Identifier: MIT
#include <anthropic/webhooks.hpp>
#include <anthropic/webhooks/timestamp.hpp>

#include "catch.hpp"
#include "samples.hpp"

#include <nlohmann/json.hpp>

#include <string>
#include <string_view>

#if JSON_DIAGNOSTICS
#error "this file is to be compiled without JSON_DIAGNOSTICS"
#endif

using namespace anthropic::webhooks;

// In odr_b.cpp, which is compiled with JSON_DIAGNOSTICS.
UnwrapWebhookEvent unwrap_in_b(std::string_view body);
UnwrapWebhookEvent from_json_in_b(std::string_view body);
std::string to_json_in_b(const UnwrapWebhookEvent& event);
std::string error_caught_in_b(UnwrapWebhookEvent (*unwrap)(std::string_view), std::string_view body);
std::string error_of_try_unwrap_in_b(std::string_view body);

namespace {

UnwrapWebhookEvent unwrap_in_a(std::string_view body) { return unwrap(body); }

UnwrapWebhookEvent from_json_in_a(std::string_view body) {
  return nlohmann::ordered_json::parse(body).get<UnwrapWebhookEvent>();
}

std::string error_caught_in_a(UnwrapWebhookEvent (*unwrap)(std::string_view), std::string_view body) {
  return samples::failure_of([&] { return unwrap(body); }).what;
}

constexpr std::string_view unknown_body =
    R"({"id":"whe_1","created_at":"2026-03-15T10:00:00Z","data":{"z":[1,{}],"type":"x","a":"b"},"type":"event"})";

}  // namespace

TEST_CASE("events are the same in a source with JSON_DIAGNOSTICS and in one without") {
  for (const auto& body : {samples::fixture("session.created"), samples::fixture("vault_credential.created"),
                           std::string(unknown_body)}) {
    const auto event = unwrap_in_a(body);
    CHECK(nlohmann::ordered_json(event).dump() == body);
    CHECK(to_json_in_b(event) == body);
    CHECK(unwrap_in_b(body) == event);
    CHECK(from_json_in_a(body) == event);
    CHECK(from_json_in_b(body) == event);
    CHECK(error_of_try_unwrap_in_b(body).empty());
  }
}

TEST_CASE("errors are caught in a source with JSON_DIAGNOSTICS and in one without, wherever they are thrown") {
  for (const std::string_view body :
       {"", "[]", "{}", R"({"type":"x"})", R"({"type":"event","id":1})", R"({"type":"event","id":"","x":[}})"}) {
    INFO(body);
    const std::string what = error_caught_in_a(unwrap_in_a, body);
    CHECK_FALSE(what.empty());
    CHECK(error_caught_in_a(unwrap_in_b, body) == what);
    CHECK(error_caught_in_b(unwrap_in_a, body) == what);
    CHECK(error_caught_in_b(unwrap_in_b, body) == what);
    CHECK(error_of_try_unwrap_in_b(body) == what);
  }
  for (const std::string_view body : {"[]", "{}", R"({"type":"event","id":1})"}) {
    const std::string what = error_caught_in_a(from_json_in_a, body);
    CHECK_FALSE(what.empty());
    CHECK(error_caught_in_a(from_json_in_b, body) == what);
    CHECK(error_caught_in_b(from_json_in_a, body) == what);
  }
}
