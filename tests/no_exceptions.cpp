// SPDX-License-Identifier: MIT
// Without exceptions and RTTI, all headers but json.hpp compile, and the try_ functions work. This does
// without Catch2, which needs exceptions.
#include <anthropic/webhooks.hpp>
#if __has_include(<openssl/evp.h>) && !defined(WITHOUT_OPENSSL)
#include <anthropic/webhooks/diagnose.hpp>
#include <anthropic/webhooks/verify.hpp>
#endif

#include <chrono>
#include <cstddef>
#include <cstdio>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>
#include <vector>

#if defined(__cpp_exceptions) || defined(_CPPUNWIND)
#error "this file is to be compiled without exceptions"
#endif

using namespace anthropic::webhooks;

namespace {

constexpr std::string_view body =
    R"({"id":"whe_1","created_at":"2026-03-15T10:00:00Z","data":{"id":"sesn_1","organization_id":"o",)"
    R"("type":"session.created","workspace_id":"w"},"type":"event"})";

int failures = 0;

void expect(bool good, const char* what) {
  if (good) return;
  std::printf("FAILED: %s\n", what);
  ++failures;
}

void test_unwrap() {
  WebhookError error(WebhookErrc::invalid_secret, "", "before");
  const auto event = try_unwrap(body, error);
  expect(event && error.code() == WebhookErrc::none, "an event is unwrapped");
  expect(event && std::holds_alternative<BetaWebhookSessionCreatedEventData>(event->data), "it has its type");
  expect(event && event_type(event->data) == "session.created" && workspace_id(event->data) == "w",
         "and its fields");
  expect(event && resource_of(event->data)->path == "/v1/sessions/sesn_1", "and its object");

  expect(!try_unwrap("{", error) && error.code() == WebhookErrc::invalid_json, "not JSON");
  expect(!try_unwrap("[]", error) && error.code() == WebhookErrc::wrong_type, "not an object");
  expect(!try_unwrap(R"({"type":"event"})", error) && error.path() == "/id" &&
             error.what() == std::string("/id: missing"),
         "a field is missing");
  const WebhookParseError copy(error);
  expect(copy.code() == WebhookErrc::missing_field && to_string(copy.code()) == "missing_field",
         "an error is copied");
}

void test_timestamps() {
  const auto time = try_parse_timestamp("2026-03-15T10:00:00.25Z");
  expect(time && try_format_timestamp(*time) == std::string("2026-03-15T10:00:00.250000Z"),
         "a timestamp is formatted");
  expect(!try_parse_timestamp("today") && !try_format_timestamp(Timestamp::max()),
         "invalid timestamps are refused");
}

#if __has_include(<openssl/evp.h>) && !defined(WITHOUT_OPENSSL)
void test_verifier() {
  const std::string secret = "whsec_MDEyMzQ1Njc4OWFiY2RlZmdoaWprbG1ub3BxcnN0dQo=";
  const std::chrono::system_clock::time_point now{std::chrono::seconds{1773568800}};
  std::map<std::string, std::string> headers{
      {"Webhook-Id", "1"},
      {"Webhook-Timestamp", "1773568800"},
      {"Webhook-Signature", "v1,fNftC+bzWk6U5lBST3hSDO+q/UbsfKUhO6jn1tvysEA="}};
  WebhookError error;
  const char* const not_set = nullptr;
  expect(!WebhookVerifier::try_make({not_set}, error) && error.code() == WebhookErrc::invalid_secret, "no secret");
  expect(!WebhookVerifier::try_make(std::vector<std::string>{"x"}, error), "a secret that is not base64");
  expect(!WebhookVerifier::try_make({secret}, error, std::chrono::seconds{-1}), "a negative tolerance");
  const auto verifier = WebhookVerifier::try_make({secret, secret}, error);
  expect(verifier && error.code() == WebhookErrc::none, "a verifier is made");
  if (!verifier) return;

  expect(verifier->try_verify("", headers, error, now) == std::size_t{0}, "a signed body verifies");
  expect(!verifier->try_verify("x", headers, error, now) && error.code() == WebhookErrc::no_matching_signature,
         "a changed body does not");
  expect(!verifier->try_unwrap("", headers, error, now) && error.code() == WebhookErrc::invalid_json &&
             error.http_status() == 400,
         "a signed body that is not an event");
  const auto lookup = [&](const char* name) { return name[8] == 'i' ? "1" : nullptr; };
  expect(!verifier->try_unwrap("", lookup, error, now) && error.code() == WebhookErrc::missing_header,
         "a header is missing");
  const std::string key = "0123456789abcdefghijklmnopqrstu\n";
  expect(!WebhookVerifier::try_from_raw_key(std::string_view(), error), "no key");
  const auto signer = WebhookVerifier::try_from_raw_key(key, error);
  expect(signer && signer->try_sign("1", now, "", error) == headers["Webhook-Signature"], "a body is signed");
  const auto signed_headers = signer->try_signed_headers("1", body, error, now);
  expect(signed_headers && verifier->try_unwrap(body, *signed_headers, error, now), "and a whole delivery");
  expect(!signer->try_sign("1.", now, "", error) && error.code() == WebhookErrc::invalid_header, "a bad id");
  expect(!signer->try_signed_headers("", "", error) && error.code() == WebhookErrc::missing_header,
         "and an empty one");
  expect(diagnose(secret, "", headers, now).front().cause == WebhookCause::verified,
         "a valid request is diagnosed");
  expect(diagnose("\"" + secret + "\"", "", headers, now).front().cause == WebhookCause::secret_decorated,
         "so is a quoted secret");
}

template <class Verifier, class = void>
constexpr bool has_throwing_functions = false;
template <class Verifier>
constexpr bool
    has_throwing_functions<Verifier, std::void_t<decltype(&Verifier::template unwrap<WebhookHeaders>)>> = true;
static_assert(!has_throwing_functions<WebhookVerifier> && !std::is_constructible_v<WebhookVerifier, std::string>);
#endif

}  // namespace

int main() {
  test_unwrap();
  test_timestamps();
#if __has_include(<openssl/evp.h>) && !defined(WITHOUT_OPENSSL)
  test_verifier();
#endif
  if (failures == 0) std::printf("All tests passed\n");
  return failures == 0 ? 0 : 1;
}
