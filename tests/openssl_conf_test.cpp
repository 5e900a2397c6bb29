// SPDX-License-Identifier: MIT
// The first use of OpenSSL, with an openssl.cnf that gets in the way. Each test is a process with OPENSSL_CONF
// set.
#include <anthropic/webhooks/diagnose.hpp>
#include <anthropic/webhooks/verify.hpp>

#include "catch.hpp"

#include <openssl/err.h>
#include <openssl/evp.h>

#include <cstdlib>
#include <string>

using namespace anthropic::webhooks;

TEST_CASE("the error blames a configuration without HMAC, not the secret", "[no_hmac]") {
  const std::string secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
  const std::string expected = "OpenSSL failed to make an HMAC-SHA256: unsupported; its configuration is " +
                               std::string(std::getenv("OPENSSL_CONF"));
  WebhookError error;
  CHECK_FALSE(WebhookVerifier::try_make({secret}, error));
  CHECK(error.code() == WebhookErrc::crypto_failure);
  CHECK(error.http_status() == 500);
  CHECK(error.what() == expected);
  CHECK_FALSE(WebhookVerifier::try_from_raw_key(secret, error));
  CHECK(error.what() == expected);
  const auto findings = diagnose(secret, "{}", WebhookHeaders{"1", "1", "v1,"});
  CHECK(findings.front().cause == WebhookCause::unknown);
  CHECK(findings.front().what == expected + ".");
  CHECK(ERR_peek_error() == 0);
}

TEST_CASE("OpenSSL's errors about its configuration are not left in the queue", "[verifier]") {
  const WebhookVerifier verifier("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
  CHECK(ERR_peek_error() == 0);
  CHECK(verifier.verify("{}", verifier.signed_headers("1", "{}")) == 0);
  CHECK(ERR_peek_error() == 0);
}

TEST_CASE("OpenSSL alone leaves them there", "[openssl]") {
  EVP_MAC* const mac = EVP_MAC_fetch(nullptr, "HMAC", nullptr);
  CHECK(mac != nullptr);
  CHECK(ERR_peek_error() != 0);
  EVP_MAC_free(mac);
}
