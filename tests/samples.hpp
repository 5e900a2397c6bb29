// SPDX-License-Identifier: MIT
#pragma once

#include <anthropic/webhooks/error.hpp>
#include <anthropic/webhooks/events.hpp>

#include <cstddef>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace samples {

template <class F, std::size_t... Index>
void for_each_event_type(F f, std::index_sequence<Index...>) {
  (f(std::variant_alternative_t<Index, anthropic::webhooks::BetaWebhookEventData>{}), ...);
}

/// Calls `f` with an empty value of each alternative of the variant but the unknown event's, which is the last.
template <class F>
void for_each_event_type(F f) {
  constexpr std::size_t alternatives = std::variant_size_v<anthropic::webhooks::BetaWebhookEventData>;
  for_each_event_type(f, std::make_index_sequence<alternatives - 1>());
}

/// The real body in tests/fixtures with this `data.type`.
inline std::string fixture(std::string_view tag) {
  const std::string path = FIXTURES_DIR "/" + std::string(tag) + ".json";
  std::ifstream file(path, std::ios::binary);
  if (!file) throw std::runtime_error("there is no " + path);
  return {std::istreambuf_iterator<char>(file), {}};
}

struct failure {
  anthropic::webhooks::WebhookErrc code = anthropic::webhooks::WebhookErrc::none;
  std::string path, what;
};

/// The WebhookParseError that `f` throws; anything else that it throws fails the test.
template <class F>
failure failure_of(F f) {
  try {
    static_cast<void>(f());
  } catch (const anthropic::webhooks::WebhookParseError& e) {
    return {e.code(), e.path(), e.what()};
  }
  return {};
}

}  // namespace samples
