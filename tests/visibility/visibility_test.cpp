// SPDX-License-Identifier: MIT
// Exceptions of a shared library with hidden symbols are caught outside it. For that, some standard libraries,
// such as libc++ on macOS, need the same type_info, not just one of the same name.
#include "library.hpp"

#include <anthropic/webhooks/error.hpp>

#include <iostream>

using namespace anthropic::webhooks;

namespace {

int failures = 0;

void expect(bool good, const char* what) {
  if (!good) std::cout << "FAILED: " << what << '\n';
  failures += good ? 0 : 1;
}

template <class Error, class F>
void expect_caught(F f, WebhookErrc code, const char* what) {
  try {
    f();
    expect(false, what);
  } catch (const Error& e) {
    expect(e.code() == code, what);
  } catch (...) {
    expect(false, what);
  }
}

}  // namespace

int main() {
  const auto unwrap = [] { unwrap_in_library("{}"); };
  const auto make_verifier = [] { make_verifier_in_library("x"); };
  expect_caught<WebhookParseError>(unwrap, WebhookErrc::missing_field, "WebhookParseError");
  expect_caught<WebhookError>(unwrap, WebhookErrc::missing_field, "WebhookError of unwrap()");
  expect_caught<WebhookVerificationError>(make_verifier, WebhookErrc::invalid_secret, "WebhookVerificationError");
  expect_caught<WebhookError>(make_verifier, WebhookErrc::invalid_secret, "WebhookError of a verifier");
  expect(&typeid(WebhookError) == &type_of_error_in_library(), "one type_info of WebhookError");
  expect(&typeid(WebhookParseError) == &type_of_parse_error_in_library(), "one type_info of WebhookParseError");
  expect(&typeid(WebhookVerificationError) == &type_of_verification_error_in_library(),
         "one type_info of WebhookVerificationError");
  if (failures == 0) std::cout << "All tests passed\n";
  return failures;
}
