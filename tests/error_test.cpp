// SPDX-License-Identifier: MIT
#include <anthropic/webhooks/error.hpp>

#include "catch.hpp"

#include <exception>
#include <stdexcept>
#include <string>
#include <type_traits>

using namespace anthropic::webhooks;

TEST_CASE("a default-constructed error is no error") {
  const WebhookError error;
  CHECK(error.code() == WebhookErrc::none);
  CHECK(error.path().empty());
  CHECK(std::string(error.what()).empty());
  CHECK(WebhookErrc{} == WebhookErrc::none);
}

TEST_CASE("what() is the path and the message, or the message alone") {
  CHECK(std::string(WebhookError(WebhookErrc::missing_field, "/data/vault_id", "missing").what()) ==
        "/data/vault_id: missing");
  CHECK(std::string(WebhookError(WebhookErrc::invalid_json, "", "not JSON").what()) == "not JSON");
}

TEST_CASE("http_status() is 400 for the body, 401 for the sender, else 200") {
  const auto status = [](WebhookErrc code) { return WebhookError(code, "", "").http_status(); };
  CHECK(status(WebhookErrc::none) == 200);
  for (const auto code : {WebhookErrc::invalid_json, WebhookErrc::missing_field, WebhookErrc::wrong_type,
                          WebhookErrc::invalid_value, WebhookErrc::invalid_timestamp}) {
    CHECK(status(code) == 400);
  }
  for (const auto code :
       {WebhookErrc::missing_header, WebhookErrc::invalid_header, WebhookErrc::timestamp_too_old,
        WebhookErrc::timestamp_too_new, WebhookErrc::no_matching_signature, WebhookErrc::invalid_secret}) {
    CHECK(status(code) == 401);
  }
}

TEST_CASE("a handler of any base catches an error whole") {
  static_assert(std::is_base_of_v<std::runtime_error, WebhookError>);
  static_assert(!std::is_base_of_v<WebhookParseError, WebhookVerificationError>);
  static_assert(!std::is_base_of_v<WebhookVerificationError, WebhookParseError>);

  CHECK_THROWS_AS(throw WebhookParseError(), WebhookError);
  CHECK_THROWS_AS(throw WebhookVerificationError(), WebhookError);
  const auto fail = [] {
    throw WebhookParseError(WebhookErrc::wrong_type, "/id", "expected a string, found null");
  };
  CHECK_THROWS_WITH(fail(), "/id: expected a string, found null");
  try {
    fail();
  } catch (const WebhookError& e) {
    CHECK(e.code() == WebhookErrc::wrong_type);
  }
}

TEST_CASE("an error that is copied or sliced keeps its code, path and message") {
  const auto check = [](const WebhookError& error) {
    CHECK(error.code() == WebhookErrc::missing_field);
    CHECK(error.path() == "/data/id");
    CHECK(std::string(error.what()) == "/data/id: missing");
  };
  const WebhookParseError parse_error(WebhookErrc::missing_field, "/data/id", "missing");
  const WebhookError sliced = parse_error;
  check(sliced);

  WebhookError assigned;
  assigned = parse_error;
  check(assigned);

  assigned = {};
  CHECK(assigned.code() == WebhookErrc::none);
  CHECK(assigned.path().empty());
  CHECK(std::string(assigned.what()).empty());
}
