// SPDX-License-Identifier: MIT
// A shared library that hides everything but these functions.
#include "library.hpp"

#include <anthropic/webhooks/error.hpp>
#include <anthropic/webhooks/unwrap.hpp>

using namespace anthropic::webhooks;

void unwrap_in_library(std::string_view body) { static_cast<void>(unwrap(body)); }

void make_verifier_in_library(const char* secret) {
  throw WebhookVerificationError(WebhookErrc::invalid_secret, "", secret);
}

const std::type_info& type_of_error_in_library() { return typeid(WebhookError); }
const std::type_info& type_of_parse_error_in_library() { return typeid(WebhookParseError); }
const std::type_info& type_of_verification_error_in_library() { return typeid(WebhookVerificationError); }
