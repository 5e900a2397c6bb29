// SPDX-License-Identifier: MIT
// expect: (use of|call to) deleted (member )?function
#include <anthropic/webhooks/verify.hpp>

#include <string_view>

using namespace std::literals;

anthropic::webhooks::WebhookVerifier verifier() {
#ifdef FAIL
  return anthropic::webhooks::WebhookVerifier::from_raw_key("a\0b");
#else
  return anthropic::webhooks::WebhookVerifier::from_raw_key("a\0b"sv);
#endif
}
