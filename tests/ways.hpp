// SPDX-License-Identifier: MIT
#pragma once

#include <anthropic/webhooks/unwrap.hpp>

#include <anthropic/webhooks/json.hpp>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <variant>

/// unwrap() and nlohmann::json::parse() must turn a body into the same event, or the same error. This checks how
/// JSON is read: both take an event's fields from detail/fields.hpp, which is tested with literal results.
///
/// The intended differences:
/// - a number that no double can hold is JSON to unwrap(), as RFC 8259 says, and an error to nlohmann;
/// - a lone surrogate is U+FFFD to unwrap(), and an error to nlohmann;
/// - a NUL byte is an error to unwrap(), and the end of the text to nlohmann;
/// - unwrap() keeps the text of an unknown event as received, and nlohmann dumps the value;
/// - unwrap() reports the first byte that no JSON text could have there, and nlohmann the last byte of the token
/// that
///   it did not expect.
namespace ways {

using anthropic::webhooks::UnwrapWebhookEvent;
using anthropic::webhooks::WebhookErrc;
using anthropic::webhooks::WebhookParseError;

struct outcome {
  std::optional<UnwrapWebhookEvent> event;
  WebhookErrc code = WebhookErrc::none;
  std::string path, what;
};

/// `f` fills in the event.
template <class F>
outcome outcome_of(F f) {
  outcome result;
  try {
    f(result.event.emplace());
  } catch (const WebhookParseError& e) {
    result.event.reset();
    result.code = e.code();
    result.path = e.path();
    result.what = e.what();
  }
  return result;
}

inline outcome unwrapped(std::string_view body) {
  return outcome_of([body](auto& event) { event = anthropic::webhooks::unwrap(body); });
}

inline outcome by_nlohmann(std::string_view body) {
  return outcome_of([body](auto& event) {
    const auto json = nlohmann::json::parse(body, nullptr, false);
    if (json.is_discarded() || body.find('\0') != body.npos) {
      throw WebhookParseError(WebhookErrc::invalid_json, "", "not JSON");
    }
    json.get_to(event);
  });
}

inline std::string& text_of_unknown(outcome& outcome) {
  static thread_local std::string none;
  if (!outcome.event) return none;
  auto* const unknown = std::get_if<anthropic::webhooks::BetaWebhookUnknownEventData>(&outcome.event->data);
  return unknown != nullptr ? unknown->json : none;
}

inline bool same(const outcome& a, const outcome& b) {
  return std::tie(a.event, a.code, a.path) == std::tie(b.event, b.code, b.path);
}

/// What nlohmann says of a text: good, wrong at a byte, or with a number that no double can hold.
struct verdict {
  enum { good, wrong, beyond_double } kind;
  std::size_t at;
};

inline verdict verdict_of_nlohmann(std::string_view text) {
  try {
    const auto json = nlohmann::json::parse(text);
    return {verdict::good, 0};
  } catch (const nlohmann::json::parse_error& e) {
    return {verdict::wrong, e.byte - 1};
  } catch (const nlohmann::json::out_of_range&) {
    return {verdict::beyond_double, 0};
  }
}

/// The text with each escaped lone surrogate replaced by "\ufffd", which is as long.
inline std::string without_lone_surrogates(std::string_view text) {
  std::string result(text);
  const auto unit_at = [&result](std::size_t at) -> unsigned long {  // 0 for none
    const auto digits = result.substr((std::min)(at + 2, result.size()), 4);
    const bool is_escape = result.compare(at, 2, "\\u") == 0 && digits.size() == 4 &&
                           digits.find_first_not_of("0123456789abcdefABCDEF") == std::string::npos;
    return is_escape ? std::strtoul(digits.c_str(), nullptr, 16) : 0;
  };
  for (std::size_t at = 0; at < result.size(); ++at) {
    if (result[at] != '\\') continue;
    const auto unit = unit_at(at);
    const auto next = at + 6 < result.size() ? unit_at(at + 6) : 0;
    if (unit >= 0xD800 && unit < 0xDC00 && next >= 0xDC00 && next < 0xE000) {
      at += 11;
    } else if (unit >= 0xD800 && unit < 0xE000) {
      result.replace(at, 6, "\\ufffd");
      at += 5;
    } else {
      ++at;
    }
  }
  return result;
}

/// The text, equally valid, with at most 20 digits in a row outside strings, and with zeros as exponents.
inline std::string with_small_numbers(std::string_view text) {
  std::string result;
  bool in_string = false;
  bool in_exponent = false;
  std::size_t digits = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const bool is_digit = c >= '0' && c <= '9';
    if (in_string && c == '\\' && i + 1 < text.size()) {
      result.append({c, text[++i]});
      continue;
    }
    if (c == '"') in_string = !in_string;
    digits = is_digit ? digits + 1 : 0;
    in_exponent = is_digit || c == '+' || c == '-' ? in_exponent : c == 'e' || c == 'E';
    if (in_string || digits <= 20) result += !in_string && in_exponent && is_digit ? '0' : c;
  }
  return result;
}

/// Whether the message for a body that is not JSON gives the right byte.
inline bool is_right_position(std::string_view body, const std::string& message) {
  constexpr std::string_view before = "at byte ";
  const auto found = message.find(before);
  if (found == std::string::npos) return body.empty();  // which has no byte to name
  const std::size_t at = std::strtoul(message.c_str() + found + before.size(), nullptr, 10);
  if (at > body.size()) return false;
  if (!body.empty() && body[0] == '\xEF' && at < 3)
    return true;  // nlohmann says little about half a byte-order mark

  const auto prefix = verdict_of_nlohmann(body.substr(0, at));
  if (prefix.kind == verdict::wrong && prefix.at != at) return false;  // it was wrong before
  if (at == body.size()) return prefix.kind != verdict::good;          // it could go on
  if (body[at] == '\0') return true;
  // With that byte, and the rest of any token that it may begin, nlohmann rejects the text instead of wanting
  // more.
  for (const char* const rest : {"", "\"", "0", "ull", "rue", "alse"}) {
    const auto text = std::string(body.substr(0, at + 1)) + rest;
    const auto longer = verdict_of_nlohmann(text);
    if (longer.kind == verdict::beyond_double || (longer.kind == verdict::wrong && longer.at < text.size()))
      return true;
  }
  return false;
}

inline bool agree(std::string_view original) {
  outcome ours = unwrapped(original);
  const std::string body = without_lone_surrogates(original);
  if (ours.code == WebhookErrc::invalid_json && !is_right_position(body, ours.what)) return false;
  if (verdict_of_nlohmann(body).kind != verdict::beyond_double) {
    auto& text = text_of_unknown(ours);
    if (!text.empty()) text = nlohmann::json::parse(without_lone_surrogates(text)).dump();
    return same(ours, by_nlohmann(body));
  }
  outcome theirs = by_nlohmann(with_small_numbers(body));
  text_of_unknown(ours).clear();
  text_of_unknown(theirs).clear();
  return same(ours, theirs);
}

}  // namespace ways
