// SPDX-License-Identifier: MIT
// What the fast pass of unwrap() returns, the nlohmann path returns too.
#include <anthropic/webhooks/unwrap.hpp>

#include "allocations.hpp"
#include "catch.hpp"
#include "samples.hpp"
#include "ways.hpp"

#include <algorithm>
#include <string>
#include <vector>

using namespace anthropic::webhooks;

namespace {

/// Whether the fast pass takes the body; fails the test where that changes what comes of it.
bool taken_alike(const std::string& body) {
  if (!ways::agree(body)) FAIL("the ways differ on " << body);
  return ways::fast_pass_takes(body);
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
  CHECK(taken_alike(R"({"type":"event"})"));  // what is missing is not for the fast pass to say
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
    CHECK_FALSE(taken_alike(changed));
  }
  for (const char* other : {"", " ", "{}", "[]", "null", "\"\"", "{", "{\"id\"", "\xEF\xBB\xBF"}) {
    CHECK_FALSE(taken_alike(other));
  }
  CHECK_FALSE(taken_alike("\xEF\xBB\xBF" + body));
  CHECK_FALSE(taken_alike(body + "x"));
  CHECK_FALSE(taken_alike(body + '\0'));
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
