// SPDX-License-Identifier: MIT
#include <anthropic/webhooks/json.hpp>

#ifdef INCLUDE_NLOHMANN_JSON_HPP_
#error "json.hpp includes <nlohmann/json_fwd.hpp> only"
#endif

#include <anthropic/webhooks/unwrap.hpp>

#include "catch.hpp"
#include "samples.hpp"

#include <nlohmann/json.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

using namespace anthropic::webhooks;
using namespace std::literals;
using nlohmann::json;
using nlohmann::ordered_json;

namespace {

template <class T>
struct other_allocator : std::allocator<T> {
  using std::allocator<T>::allocator;
  template <class U>
  struct rebind {
    using other = other_allocator<U>;
  };
};
using other_string = std::basic_string<char, std::char_traits<char>, other_allocator<char>>;
using other_json = nlohmann::basic_json<nlohmann::ordered_map, std::vector, other_string, bool, std::int32_t,
                                        std::uint32_t, float>;

ordered_json created(const char* id = "sesn_1") {
  return {{"id", id}, {"organization_id", "o"}, {"type", "session.created"}, {"workspace_id", "w"}};
}

ordered_json envelope(const ordered_json& data) {
  return {{"id", "whe_1"}, {"created_at", "2026-03-15T10:00:00Z"}, {"data", data}, {"type", "event"}};
}

/// The functions that need the struct itself. The checks are elsewhere, so that they are compiled once.
struct struct_type {
  std::string tag;
  ordered_json (*write_ordered)(const BetaWebhookEvent&);
  json (*write)(const BetaWebhookEvent&);
  bool (*reads_ordered)(const ordered_json&, const BetaWebhookEvent& expected);
  bool (*reads)(const json&, const BetaWebhookEvent& expected);
  void (*read)(const json&);
};

std::vector<struct_type> struct_types() {
  std::vector<struct_type> all;
  samples::for_each_event_type([&](auto empty) {
    using T = decltype(empty);
    all.push_back({std::string(T::type),
                   [](const BetaWebhookEvent& event) { return ordered_json(std::get<T>(event.data)); },
                   [](const BetaWebhookEvent& event) { return json(std::get<T>(event.data)); },
                   [](const ordered_json& source, const BetaWebhookEvent& expected) {
                     return source.get<T>() == std::get<T>(expected.data);
                   },
                   [](const json& source, const BetaWebhookEvent& expected) {
                     return source.get<T>() == std::get<T>(expected.data);
                   },
                   [](const json& source) { static_cast<void>(source.get<T>()); }});
  });
  return all;
}

}  // namespace

TEST_CASE("every event type is read and written, byte for byte in the wire's key order with ordered_json") {
  for (const auto& type : struct_types()) {
    const std::string body = samples::fixture(type.tag);
    const auto ordered = ordered_json::parse(body);
    const auto sorted = json::parse(body);
    INFO(body);

    const auto event = unwrap(body);
    const BetaWebhookEventData& data = event.data;
    CHECK(ordered_json(event).dump() == body);
    CHECK(json(event).dump() == sorted.dump());
    CHECK(ordered_json(data).dump() == ordered["data"].dump());
    CHECK(json(data).dump() == sorted["data"].dump());
    CHECK(type.write_ordered(event).dump() == ordered["data"].dump());
    CHECK(type.write(event).dump() == sorted["data"].dump());

    CHECK((ordered.get<BetaWebhookEvent>() == event));
    CHECK((sorted.get<BetaWebhookEvent>() == event));
    CHECK((ordered["data"].get<BetaWebhookEventData>() == data));
    CHECK((sorted["data"].get<BetaWebhookEventData>() == data));
    CHECK(type.reads_ordered(ordered["data"], event));
    CHECK(type.reads(sorted["data"], event));
  }
}

TEST_CASE("events are read and written with any basic_json") {
  for (const std::string& body :
       {samples::fixture("session.created"), envelope({{"z", 1}, {"type", "x"}, {"a", "b"}}).dump()}) {
    const auto event = other_json::parse(body).get<BetaWebhookEvent>();
    CHECK(event == unwrap(body));
    CHECK(std::string_view(other_json(event).dump()) == body);
  }
}

TEST_CASE("unknown fields are ignored") {
  auto event = envelope(created());
  const auto expected = event.get<BetaWebhookEvent>();
  event["x"] = {{"type", "x"}};
  event["data"]["x"] = {1, nullptr};
  CHECK(event.get<BetaWebhookEvent>() == expected);
  CHECK(event["data"].get<BetaWebhookSessionCreatedEventData>() ==
        std::get<BetaWebhookSessionCreatedEventData>(expected.data));
}

TEST_CASE("reading one struct checks its tag") {
  for (const auto& type : struct_types()) {
    const auto good = json::parse(samples::fixture(type.tag))["data"];
    for (const char* const tag : {"session.create", "Session.Created", "vault.created ", ""}) {
      auto other = good;
      other["type"] = tag;
      const auto failure = samples::failure_of([&] { type.read(other); });
      CHECK(failure.code == WebhookErrc::invalid_value);
      CHECK(failure.path == "/type");
      CHECK(failure.what == "/type: expected \"" + type.tag + "\", found \"" + tag + "\"");
    }
  }
  const auto failure = samples::failure_of([] { return created().get<BetaWebhookSessionDeletedEventData>(); });
  CHECK(failure.code == WebhookErrc::invalid_value);
}

TEST_CASE("a value of another JSON type is an error") {
  for (const char* const text : {"null", "1", "1.5", "true", "\"x\"", "[]"}) {
    const auto value = json::parse(text);
    const std::string message = std::string("expected an object, found ") + value.type_name();
    for (const auto& failure : {samples::failure_of([&] { return value.get<BetaWebhookEvent>(); }),
                                samples::failure_of([&] { return value.get<BetaWebhookEventData>(); }),
                                samples::failure_of([&] { return value.get<BetaWebhookVaultCreatedEventData>(); }),
                                samples::failure_of([&] { return value.get<BetaWebhookUnknownEventData>(); })}) {
      CHECK(failure.code == WebhookErrc::wrong_type);
      CHECK(failure.path.empty());
      CHECK(failure.what == message);
    }
  }
  const json discarded(json::value_t::discarded);
  CHECK(samples::failure_of([&] { return discarded.get<BetaWebhookEvent>(); }).code == WebhookErrc::wrong_type);
}

TEST_CASE("a failed get_to() leaves its target unchanged") {
  const auto check = [](const ordered_json& bad, auto target) {
    const auto before = ordered_json(target).dump();
    CHECK(samples::failure_of([&] { bad.get_to(target); }).code != WebhookErrc::none);
    CHECK(ordered_json(target).dump() == before);
  };
  const auto data = created("before").get<BetaWebhookSessionCreatedEventData>();

  const BetaWebhookEvent event{"before", Timestamp{std::chrono::seconds{1}}, data};
  auto bad = created("after");
  bad["workspace_id"] = 1;
  check(bad, data);
  auto bad_envelope = envelope(created("after"));
  bad_envelope["created_at"] = "tomorrow";
  check(bad_envelope, event);
  bad["type"] = nullptr;
  check(bad, data);
  check(bad, BetaWebhookEventData{data});
  check(envelope(bad), event);
  check(bad, BetaWebhookUnknownEventData{"before", "", "", "", ""});
}

// Unknown events.

TEST_CASE("an unknown event keeps the dump of its value") {
  const ordered_json data = {
      {"z", {1, {{"b", 2}, {"a", nullptr}}}}, {"type", "x"}, {"id", "i"}, {"workspace_id", 3}};
  const BetaWebhookUnknownEventData expected{"x", "i", "", "",
                                             R"({"z":[1,{"b":2,"a":null}],"type":"x","id":"i","workspace_id":3})"};
  CHECK(data.get<BetaWebhookUnknownEventData>() == expected);
  CHECK((data.get<BetaWebhookEventData>() == BetaWebhookEventData{expected}));
  CHECK((envelope(data).get<BetaWebhookEvent>().data == BetaWebhookEventData{expected}));
  CHECK(json(data).get<BetaWebhookUnknownEventData>().json == json(data).dump());
}

TEST_CASE("BetaWebhookUnknownEventData takes any tag, even a known one, but requires one") {
  CHECK(created().get<BetaWebhookUnknownEventData>() ==
        BetaWebhookUnknownEventData{"session.created", "sesn_1", "o", "w", created().dump()});
  const auto failure = [](const json& value) {
    return samples::failure_of([&] { return value.get<BetaWebhookUnknownEventData>(); });
  };
  CHECK(failure({{"id", "i"}}).what == "/type: missing");
  CHECK(failure({{"type", 1}}).what == "/type: expected a string, found number");
}

TEST_CASE("an unknown event is written with all of its keys, in order with ordered_json") {
  const std::string data =
      R"({"z":{"b":[1,2.5,-3],"a":{}},"type":"workflow.published","id":7,"a":null,"organization_id":"o","é":"\u0000"})";
  const std::string body =
      R"({"id":"whe_1","created_at":"2026-03-15T10:00:00Z","data":)" + data + R"(,"type":"event"})";
  const auto event = unwrap(body);
  CHECK(ordered_json(event).dump() == body);
  CHECK(ordered_json(event.data).dump() == data);
  CHECK(ordered_json(std::get<BetaWebhookUnknownEventData>(event.data)).dump() == data);
  CHECK(json(event) == json::parse(body));
}

TEST_CASE("a lone surrogate in an unknown event is written as U+FFFD, which nlohmann/json can hold") {
  for (const auto& [text, written] : {std::pair(R"("\ud83d")", R"("\ufffd")"),
                                      {R"("\uDE00")", R"("\ufffd")"},
                                      {R"("\\ud83d")", R"("\\ud83d")"},
                                      {R"("\ud83d\ude00\ud83d")", R"("\ud83d\ude00\ufffd")"}}) {
    const auto data = [](const std::string& value) {
      return R"({"type":"x","y":[)" + value + "]," + value + ":1}";
    };
    const BetaWebhookUnknownEventData unknown{"x", "", "", "", data(text)};
    CHECK(json(unknown) == json::parse(data(written)));
    CHECK(json(BetaWebhookEvent{"", {}, unknown})["data"] == json::parse(data(written)));
  }
}

TEST_CASE("an unknown event without its text is written from its other members") {
  CHECK(ordered_json(BetaWebhookUnknownEventData{"x", "i", "o", "w", ""}).dump() ==
        R"({"id":"i","organization_id":"o","type":"x","workspace_id":"w"})");
  CHECK(ordered_json(BetaWebhookUnknownEventData{"x", "", "", "", ""}).dump() == R"({"type":"x"})");
  CHECK(json(BetaWebhookUnknownEventData{"x", "", "o", "", ""}).dump() == R"({"organization_id":"o","type":"x"})");
}

TEST_CASE("an unknown event whose text is not a JSON object is not written") {
  for (const auto& text : {" "s, "{"s, "{}x"s, "{}\0"s, "[]"s, "null"s, "1"s, "\"x\""s, "{\"a\":\"\xff\"}"s,
                           "{\"a\":1e999999}"s, "{\"a\":\"\\ud8g0\"}"s, "{\"a\":\"\\"s}) {
    INFO(text);
    const BetaWebhookUnknownEventData data{"x", "i", "o", "w", text};
    for (const auto& failure :
         {samples::failure_of([&] { return json(data); }),
          samples::failure_of([&] { return ordered_json(BetaWebhookEventData{data}); }), samples::failure_of([&] {
            return json(BetaWebhookEvent{"", {}, data});
          })}) {
      CHECK(failure.code == WebhookErrc::invalid_json);
      CHECK(failure.what.find("BetaWebhookUnknownEventData::json is not a JSON object") != std::string::npos);
    }
    CHECK(samples::failure_of([&] { return json(data); }).path.empty());
    CHECK(samples::failure_of([&] { return json(BetaWebhookEvent{"", {}, data}); }).path == "/data");
  }
}

TEST_CASE("an event outside the years 0000 to 9999 is not written") {
  for (const Timestamp time : {Timestamp::min(), Timestamp::max()}) {
    const auto failure = samples::failure_of([&] { return json(BetaWebhookEvent{"", time, {}}); });
    CHECK(failure.code == WebhookErrc::invalid_timestamp);
    CHECK(failure.path == "/created_at");
  }
}

namespace {

/// Throws on conversion to T.
template <class T>
struct thrower {
  operator T() const { throw 1; }
};

}  // namespace

TEST_CASE("a valueless variant is not written") {
  BetaWebhookEvent event;
  CHECK_THROWS_AS(event.data.emplace<BetaWebhookUnknownEventData>(thrower<BetaWebhookUnknownEventData>()), int);
  REQUIRE(event.data.valueless_by_exception());
  for (const auto& failure :
       {samples::failure_of([&] { return json(event.data); }), samples::failure_of([&] { return json(event); })}) {
    CHECK(failure.code == WebhookErrc::invalid_value);
    CHECK(failure.what.find("the variant is valueless by an exception") != std::string::npos);
  }
  CHECK(samples::failure_of([&] { return json(event.data); }).path.empty());
  CHECK(samples::failure_of([&] { return json(event); }).path == "/data");
}

TEST_CASE("values that are not UTF-8 throw no exception of nlohmann's") {
  const json unknown = {{"type", "x"}, {"id", "\xff"}};
  const auto failure = samples::failure_of([&] { return unknown.get<BetaWebhookEventData>(); });
  CHECK(failure.code == WebhookErrc::invalid_json);
  CHECK(failure.path.empty());
  CHECK(samples::failure_of([&] { return json(envelope(unknown)).get<BetaWebhookEvent>(); }).path == "/data");

  const auto tag = samples::failure_of([] {
    return json{{"type", "\xff"}}.get<BetaWebhookVaultCreatedEventData>();
  });
  CHECK(tag.what == R"(/type: expected "vault.created", found "?")");
  CHECK(created("\xff").get<BetaWebhookSessionCreatedEventData>().id == "\xff");
}
