// SPDX-License-Identifier: MIT
// What the fast pass of unwrap() returns, the nlohmann path returns too.
#include <anthropic/webhooks/unwrap.hpp>

#include "allocations.hpp"
#include "catch.hpp"
#include "samples.hpp"

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

using namespace anthropic::webhooks;

namespace {

std::optional<UnwrapWebhookEvent> plain(const std::string& body) {
  UnwrapWebhookEvent event;
  if (!detail::try_plain(body, event)) return std::nullopt;
  return event;
}

std::optional<UnwrapWebhookEvent> nlohmann_path(const std::string& body) {
  try {
    return detail::event_outline<nlohmann::json>(body).event();
  } catch (const WebhookParseError&) {
    return std::nullopt;
  }
}

/// Whether the fast pass took the body; fails the test where the result is not that of the nlohmann path.
bool taken_alike(const std::string& body) {
  const auto event = plain(body);
  if (event && event != nlohmann_path(body)) FAIL("the two ways differ on " << body);
  return event.has_value();
}

std::string joined(const std::vector<std::string>& members) {
  std::string object = "{";
  for (const auto& member : members) object += (object.size() > 1 ? "," : "") + member;
  return object + "}";
}

/// The members of a JSON object as text, `"key":value`.
std::vector<std::string> members(const nlohmann::json& object) {
  std::vector<std::string> result;
  for (const auto& [key, value] : object.items())
    result.push_back(nlohmann::json(key).dump() + ":" + value.dump());
  return result;
}

}  // namespace

TEST_CASE("the fast pass takes every fixture, with its keys in any order", "[plain]") {
  samples::for_each_event_type([](auto sample) {
    const std::string body = samples::fixture(sample.type);
    CHECK(taken_alike(body));

    const auto json = nlohmann::json::parse(body);
    auto envelope = members(json);
    do {
      if (!taken_alike(joined(envelope))) FAIL(joined(envelope));
    } while (std::next_permutation(envelope.begin(), envelope.end()));

    auto data = members(json["data"]);
    auto other = json;
    other.erase("data");
    do {
      auto reordered = members(other);
      reordered.push_back("\"data\":" + joined(data));
      if (!taken_alike(joined(reordered))) FAIL(joined(reordered));
    } while (std::next_permutation(data.begin(), data.end()));
  });
}

TEST_CASE("the fast pass takes unknown types, plain unknown members and white space", "[plain]") {
  const std::string body = samples::fixture("session.status_idled");
  const auto with = [&body](std::string_view old, const std::string& replacement) {
    auto changed = body;
    return changed.replace(changed.find(old), old.size(), replacement);
  };
  CHECK(taken_alike(with("status_idled", "updated")));
  CHECK(taken_alike(with("{\"id\"", " \t\r\n{ \"id\"")));
  CHECK(taken_alike(nlohmann::json::parse(body).dump(4)));
  for (const char* value : {"\"\"", "\"x\"", "0", "-0", "12.5", "123456789012345678", "true", "false", "null"}) {
    CHECK(taken_alike(with("\"type\":\"s", "\"new\" : " + std::string(value) + " , \"type\":\"s")));
    CHECK(taken_alike(with("{\"id\":\"w", "{\"new\":" + std::string(value) + ",\"id\":\"w")));
  }
  CHECK(taken_alike(with("\"type\":\"e", "\"type\":\"not event\",\"type\":\"e")));  // the last one wins
}

TEST_CASE("the fast pass leaves everything else to the nlohmann path", "[plain]") {
  const std::string body = samples::fixture("session.status_idled");
  for (const char* value :
       {"\"\\n\"", "\"\u00e9\"", "\"\x1f\"", "\"\x7f\x80\"",        "\"\\u0041\"", "01",   "1.",  ".5",    "-",
        "+1",      "1e5",        "1E400",    "1234567890123456789", "tru",         "True", "nul", "nulls", "{}",
        "[]",      "",           "NaN"}) {
    auto changed = body;
    changed.insert(1, "\"new\":" + std::string(value) + ",");
    INFO(changed);
    CHECK_FALSE(plain(changed));
  }
  for (const char* other :
       {"", " ", "{}", "[]", "null", "\"\"", "{", "{\"id\"", "{\"type\":\"event\"}", "\xEF\xBB\xBF"}) {
    CHECK_FALSE(plain(other));
  }
  CHECK_FALSE(plain("\xEF\xBB\xBF" + body));
  CHECK_FALSE(plain(body + "x"));
  CHECK_FALSE(plain(body + '\0'));
}

TEST_CASE("the two ways agree on every truncation and on every change of a byte", "[plain]") {
  samples::for_each_event_type([](auto sample) {
    const std::string body = samples::fixture(sample.type);
    for (std::size_t size = 0; size < body.size(); ++size) {
      if (taken_alike(body.substr(0, size))) FAIL("taken: " << body.substr(0, size));
    }
    std::size_t taken = 0;
    for (std::size_t at = 0; at < body.size(); ++at) {
      auto changed = body;
      for (const char c : std::string_view("\0\x1f \"\\/,:{}[]-+.019AZaz\x7f\x80\xff", 25)) {
        changed[at] = c;
        taken += taken_alike(changed) ? 1 : 0;
      }
      changed.erase(at, 1);
      taken += taken_alike(changed) ? 1 : 0;
    }
    CHECK(taken > body.size());
  });

  const std::string body = samples::fixture("session.status_idled");
  for (std::size_t at = 0; at < body.size(); ++at) {
    auto changed = body;
    for (int c = 0; c < 256; ++c) {
      changed[at] = static_cast<char>(c);
      taken_alike(changed);
    }
  }
}

TEST_CASE("a plain body costs no allocation but those of the strings in the event", "[plain]") {
  samples::for_each_event_type([](auto sample) {
    const std::string body = samples::fixture(sample.type);
    auto before = allocations::count;
    const auto event = unwrap(body);
    const auto of_unwrap = allocations::count - before;

    before = allocations::count;
    const auto copy = event;
    CHECK(of_unwrap == allocations::count - before);
    CHECK(copy == event);
  });
}
