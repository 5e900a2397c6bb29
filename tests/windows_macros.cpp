// SPDX-License-Identifier: MIT
// The headers do not mind the macros of <windows.h>, nor verify(), which Unreal Engine and older Cocoa define.
// What they include comes first, since it may.
#if __has_include(<openssl/evp.h>)
#include <openssl/crypto.h>
#include <openssl/evp.h>
#endif

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <forward_list>
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
#define verify(condition) ((condition) ? (void)0 : abort())

#include <anthropic/webhooks.hpp>
#include <anthropic/webhooks/timestamp.hpp>
#if __has_include(<openssl/evp.h>)
#include <anthropic/webhooks/verify.hpp>
#endif

anthropic::webhooks::UnwrapWebhookEvent call(std::string_view body) {
  anthropic::webhooks::WebhookError error;
  auto event = anthropic::webhooks::try_unwrap(body, error);
  return event ? *event : nlohmann::json::parse(body).get<anthropic::webhooks::BetaWebhookEvent>();
}

#if __has_include(<openssl/evp.h>)
std::size_t call(const anthropic::webhooks::WebhookVerifier& verifier, std::string_view body,
                 const anthropic::webhooks::WebhookHeaders& headers) {
  anthropic::webhooks::WebhookError error;
  return verifier.try_unwrap(body, headers, error) ? (verifier.verify)(body, headers) : 0;
}
#endif
