// SPDX-License-Identifier: MIT
#include <anthropic/webhooks/error.hpp>

#include "catch.hpp"

#include <exception>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>

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

TEST_CASE("to_string() is the enumerator's name") {
  CHECK(to_string(WebhookErrc::none) == "none");
  CHECK(to_string(WebhookErrc::invalid_json) == "invalid_json");
  CHECK(to_string(WebhookErrc::missing_field) == "missing_field");
  CHECK(to_string(WebhookErrc::wrong_type) == "wrong_type");
  CHECK(to_string(WebhookErrc::invalid_value) == "invalid_value");
  CHECK(to_string(WebhookErrc::invalid_timestamp) == "invalid_timestamp");
  CHECK(to_string(WebhookErrc::missing_header) == "missing_header");
  CHECK(to_string(WebhookErrc::invalid_header) == "invalid_header");
  CHECK(to_string(WebhookErrc::timestamp_too_old) == "timestamp_too_old");
  CHECK(to_string(WebhookErrc::timestamp_too_new) == "timestamp_too_new");
  CHECK(to_string(WebhookErrc::no_matching_signature) == "no_matching_signature");
  CHECK(to_string(WebhookErrc::invalid_secret) == "invalid_secret");
  CHECK(to_string(WebhookErrc::crypto_failure) == "crypto_failure");
  CHECK(to_string(WebhookErrc{99}) == "unknown");
  static_assert(to_string(WebhookErrc::invalid_secret) == "invalid_secret");
}

TEST_CASE("http_status() is 400 for the body, 401 for the sender, 500 for OpenSSL, else 200") {
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
  CHECK(status(WebhookErrc::crypto_failure) == 500);
  CHECK(status(WebhookErrc{99}) == 500);
}

TEST_CASE("an error is caught as any of its base classes") {
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

TEST_CASE("a copied or sliced error keeps its code, path and message") {
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

  const WebhookParseError again(sliced);
  check(again);
  check(WebhookVerificationError(sliced));
  WebhookError moved_to = std::move(assigned);
  check(moved_to);
  assigned = moved_to;

  assigned = {};
  CHECK(assigned.code() == WebhookErrc::none);
  CHECK(assigned.path().empty());
  CHECK(std::string(assigned.what()).empty());
}

// Copying an exception must not throw.
static_assert(std::is_nothrow_copy_constructible_v<WebhookError> &&
              std::is_nothrow_copy_assignable_v<WebhookError>);
static_assert(std::is_nothrow_copy_constructible_v<WebhookParseError> &&
              std::is_nothrow_copy_assignable_v<WebhookParseError>);
static_assert(std::is_nothrow_copy_constructible_v<WebhookVerificationError> &&
              std::is_nothrow_copy_assignable_v<WebhookVerificationError>);
