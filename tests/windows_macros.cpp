// SPDX-License-Identifier: MIT
// The headers do not mind the macros of <windows.h>. What they include comes first, since it may.
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
#include <cstring>
#include <deque>
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
