// SPDX-License-Identifier: MIT
#pragma once

#include <anthropic/webhooks/unwrap.hpp>

#include <nlohmann/json.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <variant>

/// The three ways to make an event of a body, which have to agree.
namespace ways {

struct outcome {
  std::optional<anthropic::webhooks::UnwrapWebhookEvent> event;
  anthropic::webhooks::WebhookErrc code = anthropic::webhooks::WebhookErrc::none;
  std::string path;

  friend bool operator==(const outcome& a, const outcome& b) {
    return std::tie(a.event, a.code, a.path) == std::tie(b.event, b.code, b.path);
  }
};

template <class F>
outcome outcome_of(F f) {
  try {
    return {f(), anthropic::webhooks::WebhookErrc::none, ""};
  } catch (const anthropic::webhooks::WebhookParseError& e) {
    return {std::nullopt, e.code(), e.path()};
  }
}

inline bool fast_pass_takes(std::string_view body) {
  anthropic::webhooks::detail::body_outline outline{body};
  return anthropic::webhooks::detail::read_plain(outline);
}

/// What unwrap() does with a body that the fast pass does not take.
inline outcome by_nlohmann_sax(std::string_view body) {
  return outcome_of([body] {
    anthropic::webhooks::detail::body_outline outline{body};
    anthropic::webhooks::detail::sax_reader<nlohmann::json> reader;
    reader.read(outline);
    return anthropic::webhooks::detail::event_of<anthropic::webhooks::UnwrapWebhookEvent>(outline);
  });
}

/// By way of a whole nlohmann::json, so that the text of an unknown event is one that nlohmann wrote.
inline outcome by_nlohmann_dom(std::string_view body) {
  return outcome_of([body] {
    const auto json = nlohmann::json::parse(body, nullptr, false);
    if (json.is_discarded() || body.find('\0') != body.npos) {
      throw anthropic::webhooks::WebhookParseError(anthropic::webhooks::WebhookErrc::invalid_json, "", "not JSON");
    }
    return json.get<anthropic::webhooks::BetaWebhookEvent>();
  });
}

inline outcome with_text_of_nlohmann(outcome outcome) {
  if (!outcome.event) return outcome;
  if (auto* unknown = std::get_if<anthropic::webhooks::BetaWebhookUnknownEventData>(&outcome.event->data)) {
    unknown->json = nlohmann::json::parse(unknown->json).dump();
  }
  return outcome;
}

inline bool agree(std::string_view body) {
  const auto unwrapped = outcome_of([body] { return anthropic::webhooks::unwrap(body); });
  return unwrapped == by_nlohmann_sax(body) && with_text_of_nlohmann(unwrapped) == by_nlohmann_dom(body);
}

}  // namespace ways
