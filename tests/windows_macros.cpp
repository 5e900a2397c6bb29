// SPDX-License-Identifier: MIT
// The headers compile despite the macros of <windows.h>, Qt, AssertMacros.h (macOS) and X11. What they include may
// not, so it comes first.
#if __has_include(<openssl/evp.h>)
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#endif

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <forward_list>
#include <functional>
#include <initializer_list>
#include <iterator>
#include <memory>
#include <new>
#include <optional>
#include <ratio>
#include <stdexcept>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <unordered_set>
#include <utility>
#include <variant>
#include <vector>

#define min(a, b) ((a) < (b) ? (a) : (b))
#define max(a, b) ((a) > (b) ? (a) : (b))
#define small char
#define interface struct
#define near
#define far
#define IN
#define OUT
#define ERROR 0
#define DELETE 0x00010000
#define GetObject GetObjectA

// Qt
#define slots
#define signals public
#define emit
#define foreach(variable, container) for (variable : container)
#define forever for (;;)

// AssertMacros.h; Unreal Engine defines verify() too
#define check(assertion) ((void)(assertion))
#define check_noerr(error) ((void)(error))
#define check_string(assertion, message) ((void)(assertion))
#define verify(assertion) ((void)(assertion))
#define verify_noerr(error) ((void)(error))
#define verify_string(assertion, message) ((void)(assertion))
#define verify_action(assertion, action) ((void)(assertion))
#define require(assertion, label) ((void)(assertion))
#define require_noerr(error, label) ((void)(error))
#define require_string(assertion, label, message) ((void)(assertion))
#define require_action(assertion, label, action) ((void)(assertion))

// X11
#define None 0L
#define Bool int
#define Status int
#define Success 0
#define Always 2
#define True 1
#define False 0

#include <anthropic/webhooks.hpp>
#include <anthropic/webhooks/timestamp.hpp>
#if __has_include(<openssl/evp.h>)
#include <anthropic/webhooks/diagnose.hpp>
#include <anthropic/webhooks/verify.hpp>
#endif

std::size_t call(std::string_view body) {
  anthropic::webhooks::WebhookError error;
  const auto event = anthropic::webhooks::try_unwrap(body, error);
  return event ? event->id.size()
               : nlohmann::json::parse(body).get<anthropic::webhooks::BetaWebhookEvent>().id.size();
}

#if __has_include(<openssl/evp.h>)
std::size_t call(const anthropic::webhooks::WebhookVerifier& verifier, std::string_view body,
                 const anthropic::webhooks::WebhookHeaders& headers) {
  anthropic::webhooks::WebhookError error;
  if (!verifier.try_verify(body, headers, error)) return 0;
  return verifier.try_unwrap(body, headers, error) ? (verifier.verify)(body, headers) : 0;
}

std::size_t call(std::string_view body, const anthropic::webhooks::WebhookHeaders& headers) {
  return anthropic::webhooks::diagnose("", body, headers).size();
}
#endif
