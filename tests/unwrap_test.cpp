// SPDX-License-Identifier: MIT
#include <anthropic/webhooks/unwrap.hpp>

#include "allocations.hpp"
#include "catch.hpp"
#include "samples.hpp"
#include "ways.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <new>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

using namespace anthropic::webhooks;
using namespace std::literals;
using nlohmann::json;
using nlohmann::ordered_json;

namespace {

constexpr std::string_view idled =
    R"({"id":"sesn_1","organization_id":"org_1","type":"session.idled","workspace_id":"wrkspc_1"})";

/// `more` comes before the members of the envelope.
std::string body_with(std::string_view data, std::string_view more = "") {
  return "{" + std::string(more) + R"("id":"whe_1","created_at":"2026-03-15T10:00:00Z","data":)" +
         std::string(data) + R"(,"type":"event"})";
}

const std::string idled_body = body_with(idled);

std::string without_last_brace(std::string_view object) {
  return std::string(object.substr(0, object.size() - 1));
}

std::string repeated(std::string_view text, std::size_t times) {
  std::string result;
  for (; times > 0; --times) result += text;
  return result;
}

/// The error that unwrap() throws, if any. Checks that try_unwrap() and nlohmann/json agree.
samples::failure failure_of_body(std::string_view body) {
  WebhookError error(WebhookErrc::invalid_secret, "/before", "before");
  const auto tried = try_unwrap(body, error);
  bool same = !tried;
  const auto failure = samples::failure_of([&] { same = tried == unwrap(body); });
  CHECK(same);
  CHECK(error.code() == failure.code);
  CHECK(error.path() == failure.path);
  CHECK(error.what() == failure.what);
  CHECK(ways::agree(body));
  return failure;
}

void check_fails(std::string_view body, WebhookErrc code, std::string_view path) {
  INFO(body.substr(0, 300));
  const auto failure = failure_of_body(body);
  CHECK(failure.code == code);
  CHECK(failure.path == path);
}

void check_invalid_json(std::string_view body) { check_fails(body, WebhookErrc::invalid_json, ""); }

void check_unwraps_like(std::string_view body, std::string_view like) {
  INFO(body.substr(0, 300));
  const auto failure = failure_of_body(body);
  CHECK(failure.what.empty());
  if (failure.code == WebhookErrc::none) CHECK(unwrap(body) == unwrap(like));
}

BetaWebhookUnknownEventData unknown_of(std::string_view body) {
  INFO(body.substr(0, 300));
  REQUIRE(failure_of_body(body).what.empty());
  const auto event = unwrap(body);
  REQUIRE(std::holds_alternative<BetaWebhookUnknownEventData>(event.data));
  return std::get<BetaWebhookUnknownEventData>(event.data);
}

/// The number of allocations that unwrap() makes.
std::size_t allocations_of(std::string_view body) {
  const auto before = allocations::count;
  const auto event = unwrap(body);
  return allocations::count - before;
}

std::size_t allocations_of_copy(std::string_view body) {
  const auto event = unwrap(body);
  const auto before = allocations::count;
  const auto id = event.id;
  std::visit([](const auto& data) { const auto copy = data; }, event.data);
  return allocations::count - before;
}

std::string id_of(std::string_view body) {
  INFO(body.substr(0, 300));
  REQUIRE(failure_of_body(body).what.empty());
  return unwrap(body).id;
}

/// The functions that need the struct itself. The checks are elsewhere, so that they are compiled once.
struct struct_type {
  std::string tag;
  std::vector<std::string> (*ids)(const BetaWebhookEvent&);  // its own and the organization's, if it holds a T
  void (*read)(const ordered_json&);
  ordered_json (*reread)(const ordered_json&);  // and written again
};

std::vector<struct_type> struct_types() {
  std::vector<struct_type> all;
  samples::for_each_event_type([&](auto empty) {
    using T = decltype(empty);
    all.push_back({std::string(T::type),
                   [](const BetaWebhookEvent& event) {
                     const T* const held = std::get_if<T>(&event.data);
                     return held ? std::vector{held->id, held->organization_id} : std::vector<std::string>();
                   },
                   [](const ordered_json& data) { static_cast<void>(data.get<T>()); },
                   [](const ordered_json& data) { return ordered_json(data.get<T>()); }});
  });
  return all;
}

/// A body whose "id" is the JSON string of this text.
std::string body_with_id(std::string_view text) {
  return R"({"created_at":"2026-03-15T10:00:00Z","data":)" + std::string(idled) + R"(,"type":"event","id":")" +
         std::string(text) + "\"}";
}

}  // namespace

// The main job.

TEST_CASE("a real body is unwrapped") {
  const auto event =
      unwrap(R"({"id":"whe_0f1e2d3c4b5a69788796a5b4c3d2e1f0","created_at":"2026-03-15T10:00:00Z",)"
             R"("data":{"id":"sesn_011CZkZAtmR3yMPDzynEDxu7","organization_id":"org_011CZkZZAe0sMna4vkBdtrfx",)"
             R"("type":"session.status_idled","workspace_id":"wrkspc_011CZkZaBF1tNoB5wlCeusgy"},"type":"event"})");
  CHECK(event ==
        BetaWebhookEvent{
            "whe_0f1e2d3c4b5a69788796a5b4c3d2e1f0", Timestamp{std::chrono::seconds{1773568800}},
            BetaWebhookSessionStatusIdledEventData{"sesn_011CZkZAtmR3yMPDzynEDxu7", "org_011CZkZZAe0sMna4vkBdtrfx",
                                                   "wrkspc_011CZkZaBF1tNoB5wlCeusgy"}});
}

TEST_CASE("the fixture of every event type is unwrapped to that type, with all its fields") {
  for (const auto& type : struct_types()) {
    const std::string body = samples::fixture(type.tag);
    INFO(body);
    REQUIRE(failure_of_body(body).what.empty());
    const auto event = unwrap(body);
    const auto ids = type.ids(event);
    REQUIRE(ids.size() == 2);

    const auto expected = json::parse(body);
    CHECK(event.id == expected["id"].get<std::string>());
    CHECK(format_timestamp(event.created_at) == expected["created_at"].get<std::string>());
    CHECK(ids[0] == expected["data"]["id"].get<std::string>());
    CHECK(ids[1] == expected["data"]["organization_id"].get<std::string>());
    CHECK(workspace_id(event.data) == expected["data"].value("workspace_id", ""));
    CHECK(json(event) == expected);  // with all other members
  }
}

// Fields that are missing or wrong.

TEST_CASE("every field of the envelope, and data.type, must be present and of the right type") {
  const auto check = [](const ordered_json& body, const struct_type& type, const std::string& path,
                        WebhookErrc code, const std::string& message) {
    INFO(body);
    const auto check_failure = [&](const samples::failure& failure, const std::string& at) {
      CHECK(failure.code == code);
      CHECK(failure.path == at);
      CHECK(failure.what == at + ": " + message);
    };
    check_failure(failure_of_body(body.dump()), path);
    check_failure(samples::failure_of([&] { return body.get<BetaWebhookEvent>(); }), path);
    check_failure(samples::failure_of([&] { return json(body).get<BetaWebhookEvent>(); }), path);
    if (path != "/data/type") return;
    check_failure(samples::failure_of([&] { return body["data"].get<BetaWebhookEventData>(); }), "/type");
    check_failure(samples::failure_of([&] { type.read(body["data"]); }), "/type");
  };

  for (const auto& type : struct_types()) {
    const auto good = ordered_json::parse(samples::fixture(type.tag));
    for (const std::string path : {"/type", "/id", "/created_at", "/data", "/data/type"}) {
      const ordered_json::json_pointer pointer(path);
      auto absent = good;
      absent[pointer.parent_pointer()].erase(pointer.back());
      check(absent, type, path, WebhookErrc::missing_field, "missing");

      const bool is_data = path == "/data";
      const std::string expected = is_data ? "expected an object, found " : "expected a string, found ";
      for (const char* const text :
           {"null", "1", "-1", "1.5", "true", "[]", R"(["x"])", is_data ? "\"x\"" : "{}"}) {
        auto wrong = good;
        wrong[pointer] = ordered_json::parse(text);
        check(wrong, type, path, WebhookErrc::wrong_type, expected + wrong[pointer].type_name());
      }
    }
  }
}

TEST_CASE("an absent or null member of data is empty") {
  for (const auto& type : struct_types()) {
    const auto good = ordered_json::parse(samples::fixture(type.tag));
    for (const auto& [key, value] : good["data"].items()) {
      if (key == "type") continue;
      auto expected = good, absent = good, null = good;
      expected["data"][key] = "";
      absent["data"].erase(key);
      null["data"][key] = nullptr;
      for (const auto& changed : {absent, null}) {
        INFO(changed);
        REQUIRE(failure_of_body(changed.dump()).what.empty());
        const auto event = unwrap(changed.dump());
        CHECK(type.ids(event).size() == 2);
        CHECK(ordered_json(event) == expected);
        CHECK((changed.get<BetaWebhookEvent>() == event));
        CHECK((changed["data"].get<BetaWebhookEventData>() == event.data));
        CHECK(type.reread(changed["data"]) == expected["data"]);
      }
    }
  }
}

TEST_CASE("a member of data of another JSON type makes the event an unknown one") {
  for (const auto& type : struct_types()) {
    const auto good = ordered_json::parse(samples::fixture(type.tag));
    for (const auto& [key, value] : good["data"].items()) {
      if (key == "type") continue;
      for (const char* const text : {"1", "-1.5", "true", "false", "[]", R"(["x"])", "{}", R"({"id":"x"})"}) {
        auto changed = good;
        changed["data"][key] = ordered_json::parse(text);
        const auto& data = changed["data"];
        const auto id_of = [&data](const char* name) {
          return data.contains(name) && data[name].is_string() ? data[name].get<std::string>() : "";
        };
        const BetaWebhookUnknownEventData expected{type.tag, id_of("id"), id_of("organization_id"),
                                                   id_of("workspace_id"), data.dump()};
        CHECK(unknown_of(changed.dump()) == expected);
        CHECK((changed.get<BetaWebhookEvent>().data == BetaWebhookEventData{expected}));
        CHECK((data.get<BetaWebhookEventData>() == BetaWebhookEventData{expected}));
        CHECK(ordered_json(unwrap(changed.dump())) == changed);

        const auto failure = samples::failure_of([&] { type.read(data); });
        CHECK(failure.code == WebhookErrc::wrong_type);
        CHECK(failure.path == "/" + key);
        CHECK(failure.what == "/" + key + ": expected a string, found " + data[key].type_name());
      }
    }
  }
}

TEST_CASE("error messages say what is wrong, and where") {
  const struct {
    std::string body;
    WebhookErrc code;
    std::string path, what;
  } rows[] = {
      {"[]", WebhookErrc::wrong_type, "", "expected an object, found array"},
      {"1", WebhookErrc::wrong_type, "", "expected an object, found number"},
      {"-1.5", WebhookErrc::wrong_type, "", "expected an object, found number"},
      {"\"event\"", WebhookErrc::wrong_type, "", "expected an object, found string"},
      {"null", WebhookErrc::wrong_type, "", "expected an object, found null"},
      {"false", WebhookErrc::wrong_type, "", "expected an object, found boolean"},
      {R"([{"type":"event"}])", WebhookErrc::wrong_type, "", "expected an object, found array"},
      {"{}", WebhookErrc::missing_field, "/type", "/type: missing"},
      {R"({"type":"Event"})", WebhookErrc::invalid_value, "/type", R"(/type: expected "event", found "Event")"},
      {R"({"type":"event "})", WebhookErrc::invalid_value, "/type", R"(/type: expected "event", found "event ")"},
      {R"({"type":""})", WebhookErrc::invalid_value, "/type", R"(/type: expected "event", found "")"},
      {R"({"type":"event\u0000"})", WebhookErrc::invalid_value, "/type",
       R"(/type: expected "event", found "event?")"},
      {R"({"type":"session.idled"})", WebhookErrc::invalid_value, "/type",
       R"(/type: expected "event", found "session.idled")"},
      {R"({"type":"a\nb\u00e9)" + std::string(1000, 'x') + "\"}", WebhookErrc::invalid_value, "/type",
       R"(/type: expected "event", found "a?b??)" + std::string(35, 'x') + "\"..."},
      {body_with("{}"), WebhookErrc::missing_field, "/data/type", "/data/type: missing"},
      {body_with(R"({"type":null,"id":1})"), WebhookErrc::wrong_type, "/data/type",
       "/data/type: expected a string, found null"},
  };
  for (const auto& row : rows) {
    INFO(row.body);
    const auto failure = failure_of_body(row.body);
    CHECK(failure.code == row.code);
    CHECK(failure.path == row.path);
    CHECK(failure.what == row.what);
  }
}

TEST_CASE("of several errors, the first in wire order is reported") {
  const struct {
    std::string body, path;
  } rows[] = {
      {R"({})", "/type"},
      {R"({"type":"x","id":1,"created_at":1,"data":1})", "/type"},
      {R"({"type":"event"})", "/id"},
      {R"({"type":"event","id":"","data":1})", "/created_at"},
      {R"({"type":"event","id":"","created_at":"x","data":1})", "/created_at"},
      {R"({"type":"event","id":"","created_at":"2026-03-15T10:00:00Z","data":1})", "/data"},
      {body_with(R"({"type":1})"), "/data/type"},
  };
  for (const auto& row : rows) {
    INFO(row.body);
    CHECK(failure_of_body(row.body).path == row.path);
  }
}

TEST_CASE("created_at must be an RFC 3339 date-time") {
  for (const auto text : {"", "2026-03-15", "2026-03-15 10:00:00Z", "2026-02-29T10:00:00Z", "2026-03-15T10:00:00",
                          "2026-03-15T10:00:00Z\\u0000", "9999-12-31T23:59:60Z", "1773568800"}) {
    const std::string body = R"({"id":"whe_1","created_at":")" + std::string(text) + R"(","data":)" +
                             std::string(idled) + R"(,"type":"event"})";
    check_fails(body, WebhookErrc::invalid_timestamp, "/created_at");
    CHECK(failure_of_body(body).what ==
          "/created_at: expected an RFC 3339 date-time such as 2026-03-15T10:00:00Z");
  }
}

TEST_CASE("empty strings are values") {
  const auto event = unwrap(R"({"id":"","created_at":"1970-01-01T00:00:00Z","type":"event",)"
                            R"("data":{"type":"session.idled","id":"","organization_id":"","workspace_id":""}})");
  CHECK(event == BetaWebhookEvent{"", Timestamp{}, BetaWebhookSessionIdledEventData{}});
}

// Fields that are unknown or duplicated.

TEST_CASE("unknown fields are ignored") {
  for (const auto name : {"x", "", "ID", "id ", "vault_id", "session_thread_id", "typ\\u00e9"}) {
    for (const auto value : {"null", "true", "1", "-1.5e3", "123456789012345678901234567890",
                             R"("session.created")", "[]", "{}", R"([{"type":"x"},[{"data":{"type":"x"}}]])",
                             R"({"id":1,"created_at":2,"data":{"type":"x"},"type":"x","workspace_id":3})"}) {
      const std::string field = "\"" + std::string(name) + "\":" + value;
      check_unwraps_like(body_with(idled, field + ","), idled_body);
      check_unwraps_like(without_last_brace(idled_body) + "," + field + "}", idled_body);
      check_unwraps_like(body_with("{" + field + "," + std::string(idled.substr(1))), idled_body);
      check_unwraps_like(body_with(without_last_brace(idled) + "," + field + "}"), idled_body);
    }
  }
}

TEST_CASE("the last of duplicate keys wins") {
  const std::string in_data(idled.substr(1));
  for (const auto first :
       {"null", "1", "true", R"("x")", "[]", R"(["x"])", "{}", R"({"id":1,"type":"x","y":{}})"}) {
    for (const auto key : {"id", "created_at", "data", "type"}) {
      const std::string field = "\"" + std::string(key) + "\":" + first;
      check_unwraps_like(body_with(idled, field + ","), idled_body);
    }
    for (const auto key : {"id", "organization_id", "type", "workspace_id"}) {
      check_unwraps_like(body_with("{\"" + std::string(key) + "\":" + first + "," + in_data), idled_body);
    }
  }

  const std::string good = without_last_brace(idled_body);
  const std::string good_data = without_last_brace(idled);
  check_fails(good + R"(,"id":1})", WebhookErrc::wrong_type, "/id");
  check_fails(good + R"(,"created_at":"x"})", WebhookErrc::invalid_timestamp, "/created_at");
  check_fails(good + R"(,"type":"x"})", WebhookErrc::invalid_value, "/type");
  check_fails(good + R"(,"data":"x"})", WebhookErrc::wrong_type, "/data");
  check_fails(good + R"(,"data":[{"type":"x"}]})", WebhookErrc::wrong_type, "/data");
  check_fails(good + R"(,"data":{}})", WebhookErrc::missing_field, "/data/type");
  CHECK(unwrap(good + R"(,"data":{"type":"session.idled"}})").data ==
        BetaWebhookEventData{BetaWebhookSessionIdledEventData{}});
  CHECK(unwrap(body_with(good_data + R"(,"id":null})")).data ==
        BetaWebhookEventData{BetaWebhookSessionIdledEventData{"", "org_1", "wrkspc_1"}});
  CHECK(unknown_of(body_with(good_data + R"(,"id":1})")).type == "session.idled");
  check_fails(body_with(good_data + R"(,"type":null})"), WebhookErrc::wrong_type, "/data/type");
  CHECK(unknown_of(body_with(good_data + R"(,"type":"x"})")).type == "x");
}

// Events of an unknown type.

TEST_CASE("tags are exact: anything else is an unknown event") {
  for (const auto& [tag, keys, comment] : samples::event_types()) {
    std::string upper = tag;
    upper[0] = static_cast<char>(upper[0] - 'a' + 'A');
    for (const auto& other : {upper, tag + " ", " " + tag, tag + ".", tag + "x", tag.substr(1),
                              tag.substr(0, tag.size() - 1), tag + "\\u0000", "beta." + tag}) {
      CHECK(json(unknown_of(body_with("{\"type\":\"" + other + "\"}")).type) == json::parse("\"" + other + "\""));
    }
  }
  for (const auto tag :
       {"Session.Created", "session.created ", "session.status_idle", "session.status_idles", "event", "",
        "workflow.published", "deployment.run.failed", "vault_credential", "session", "x\xc3\xa9"}) {
    CHECK(unknown_of(body_with("{\"type\":\"" + std::string(tag) + "\"}")).type == tag);
  }
  CHECK(
      unwrap(body_with(R"({"type":"session\u002eidled","id":"","organization_id":"","workspace_id":""})")).data ==
      BetaWebhookEventData{BetaWebhookSessionIdledEventData{}});
}

TEST_CASE("an unknown event has the IDs that are strings, and empty ones for the rest") {
  const auto all =
      unknown_of(body_with(R"({"workspace_id":"w","type":"workflow.published","organization_id":"o","id":"i"})"));
  CHECK(all.type == "workflow.published");
  CHECK(all.id == "i");
  CHECK(all.organization_id == "o");
  CHECK(all.workspace_id == "w");

  for (const auto& ids :
       {""s, R"("id":1,"organization_id":null,"workspace_id":true,)"s,
        R"("id":["i"],"organization_id":{"id":"o"},"workspace_id":-1.5,)"s,
        R"("nested":{"id":"i","organization_id":"o","workspace_id":"w"},)"s,
        R"("id":"i","organization_id":"o","workspace_id":"w","id":1,"organization_id":[],"workspace_id":{},)"s}) {
    const std::string data = "{" + ids + R"("type":"workflow.published"})";
    CHECK(unknown_of(body_with(data)) == BetaWebhookUnknownEventData{"workflow.published", "", "", "", data});
  }
  CHECK(unknown_of(body_with(R"({"id":"a","id":"b","type":"x"})")).id == "b");
}

TEST_CASE("an unknown event keeps its text exactly as received") {
  for (
      const auto data : {
          R"({"type":"x"})",
          "{ \t\r\n\"type\" \n:\t\"x\" \r}",
          R"({"z":1,"type":"x","a":2})",
          R"({"type":"x","n":[123456789012345678901234567890,1.10,1e2,1E+02,-0,-0.0,0.1000000000000000055511151231257827]})",
          R"({"type":"x","n":1})",
          R"({"type":"x", "a" : [ { "data":{"type":"y"} , "}":"{" } ] , "data":{"type":"session.idled"}})",
          R"({"type":"y","a":1,"a":2,"type":"x"})",
          R"({"\u0074ype":"\u0078","s":"\u00e9\/\ud83d\ude00\\\"}"})",
          "{\"type\":\"x\",\"s\":\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\x7f\"}",
      }) {
    const std::string text(data);
    const std::string type_first =
        R"({"type":"event","data":)" + text + R"(,"id":"","created_at":"2026-03-15T10:00:00Z"})";
    const std::string data_last =
        R"({"type":"event","id":"","created_at":"2026-03-15T10:00:00Z","data":)" + text + "}";
    for (const auto& body :
         {body_with(text), body_with(text, "\"\xf0\x9f\x98\x80\":{\"data\":{}},"), type_first, data_last,
          "\xef\xbb\xbf " + data_last, without_last_brace(data_last) + " \n} \n",
          body_with(text, R"("data":{"type":"y"},)"), body_with(text, R"("data":[],)"),
          body_with(text, R"("data":"y",)"), body_with(text, R"("x":{"data":{"type":"y"}},)")}) {
      const auto unknown = unknown_of(body);
      CHECK(unknown.type == "x");
      CHECK(unknown.json == text);
    }
    const std::string escaped_key =
        R"({"type":"event","id":"","created_at":"2026-03-15T10:00:00Z","d\u0061ta" : )";
    CHECK(unknown_of(escaped_key + text + " }").json == text);
  }
}

TEST_CASE("data.type of an unknown event must be a string") {
  check_fails(body_with(R"({"id":"agent_1"})"), WebhookErrc::missing_field, "/data/type");
  check_fails(body_with(R"({"Type":"x","nested":{"type":"x"}})"), WebhookErrc::missing_field, "/data/type");
  check_fails(body_with(R"({"type":{"type":"x"}})"), WebhookErrc::wrong_type, "/data/type");
}

// JSON text.

TEST_CASE("a body that is not JSON is an error") {
  for (const auto body : {
           "",
           " ",
           "\t\r\n ",
           "nul",
           "nulll",
           "True",
           "NaN",
           "Infinity",
           "undefined",
           "{",
           "}",
           "[",
           "]",
           "{]",
           "[}",
           "{\"",
           "{\"a",
           "{\"a\"",
           "{\"a\":",
           "{\"a\":1",
           "{\"a\":1,",
           "{\"a\":1,}",
           "{\"a\":}",
           "{\"a\" 1}",
           "{a:1}",
           "{'a':1}",
           "{1:1}",
           "{,}",
           "{\"a\":1 \"b\":2}",
           "{\"a\":[1,]}",
           "{\"a\":[1 2]}",
           "{\"a\":01}",
           "{\"a\":+1}",
           "{\"a\":.5}",
           "{\"a\":1.}",
           "{\"a\":1e}",
           "{\"a\":-}",
           "{\"a\":0x1}",
           "{\"a\":1_000}",
           "{\"a\":\"\\x\"}",
           "{\"a\":\"\\u12g4\"}",
           "{\"a\":\"\\u12\"}",
           "{\"a\":\"\n\"}",
           "{\"a\":\"\t\"}",
           "{\"a\":\"\x1f\"}",
           "{\"a\":'x'}",
           "/* c */{}",
           "{} // c",
           "{}/**/",
           "\x0c{}",
           "\xc2\xa0{}",
           "id=whe_1&type=event",
           "<html></html>",
           "{}{}",
           "{},",
           "{}}",
           "{} x",
           "{}\n{}",
           "[]]",
           "null null",
           "1 2",
       }) {
    check_invalid_json(body);
  }
  check_invalid_json({});
  for (const auto after : {"x", "}", ",", "{}", "null", "\"", "\xef\xbb\xbf", "//"})
    check_invalid_json(idled_body + after);
  for (const auto before :
       {"x", "{", ",", "null ", "\xef\xbb", "\xef\xbb\xbf\xef\xbb\xbf", " \xef\xbb\xbf", "\xfe\xff", "\xff\xfe"}) {
    check_invalid_json(before + idled_body);
  }
  check_invalid_json("\xef\xbb\xbf");
  check_invalid_json("\xef");
}

TEST_CASE("a truncated body is an error, wherever it ends") {
  for (std::size_t size = 0; size < idled_body.size(); ++size) check_invalid_json(idled_body.substr(0, size));
}

TEST_CASE("the message of invalid JSON names the byte") {
  const struct {
    std::string body, what;
  } rows[] = {
      {"", "not JSON: the body is empty"},
      {"  ", "not JSON: the body ends too early, at byte 2"},
      {"{\"a\":", "not JSON: the body ends too early, at byte 5"},
      {"{\"a\":}", "not JSON at byte 5"},
      {"x", "not JSON at byte 0"},
      {"{}x", "not JSON at byte 2"},
      {"\xef\xbb\xbf{}x", "not JSON at byte 5"},
      {"{\"\xc3\xa9\":x}", "not JSON at byte 6"},
      {"{}\0"s, "not JSON at byte 2"},
      {"{\"a\":\"\xff\"}", "not JSON at byte 6"},
      {repeated(" ", 1000) + "x", "not JSON at byte 1000"},
      {R"({"id":"\ud800\u004"})", "not JSON at byte 18"},
      {R"({"id":"\ud800\x"})", "not JSON at byte 14"},
      {R"({"id":"\x"})", "not JSON at byte 8"},
      {R"({"id":"\u12g4"})", "not JSON at byte 11"},
      {"\xef", "not JSON: the body ends too early, at byte 1"},
      {"\xef\xbb{}", "not JSON at byte 2"},
      {"[nulx]", "not JSON at byte 4"},
      {"\"\xe2\x28\xa1\"", "not JSON at byte 2"},
      {"\"\xf0\x9f\x98x\"", "not JSON at byte 4"},
  };
  for (const auto& row : rows) {
    INFO(row.body);
    CHECK(failure_of_body(row.body).what == row.what);
  }
}

TEST_CASE("a NUL byte is not JSON, wherever it is") {
  for (const auto& body : {idled_body + '\0', idled_body + " \0"s, idled_body + "\0garbage"s, '\0' + idled_body,
                           "{\0"s + idled_body.substr(1), idled_body + "\0"s + idled_body, body_with_id("a\0b"s),
                           body_with(idled, "\"x\":\"\0\","s), "\0"s}) {
    check_invalid_json(body);
  }
}

TEST_CASE("whitespace, a byte-order mark and any order of the keys are allowed") {
  check_unwraps_like("\xef\xbb\xbf" + idled_body, idled_body);
  check_unwraps_like("\xef\xbb\xbf \r\n" + idled_body, idled_body);
  check_unwraps_like(" \t\r\n" + idled_body + " \t\r\n", idled_body);
  check_unwraps_like(json::parse(idled_body).dump(4), idled_body);
  check_unwraps_like(
      R"({"type":"event","data":{"type":"session.idled","workspace_id":"wrkspc_1",)"
      R"("organization_id":"org_1","id":"sesn_1"},"id":"whe_1","created_at":"2026-03-15T10:00:00Z"})",
      idled_body);
}

TEST_CASE("the body ends where its view does") {
  const std::vector<char> exact(idled_body.begin(), idled_body.end());
  CHECK(unwrap({exact.data(), exact.size()}) == unwrap(idled_body));
  check_unwraps_like(std::string_view(idled_body + "}").substr(0, idled_body.size()), idled_body);
}

TEST_CASE("strings hold whatever JSON can express") {
  const struct {
    std::string text;
    std::string_view value;
  } rows[] = {
      {R"(\"\\\/\b\f\n\r\t)", "\"\\/\b\f\n\r\t"},
      {R"(a\u0000b)", "a\0b"sv},
      {R"(\u0000)", "\0"sv},
      {R"(\u0041\u00e9\u20AC\uD83D\ude00)", "A\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"},
      {"A\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\x7f", "A\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\x7f"},
      {"\xf4\x8f\xbf\xbf\xef\xbf\xbf\xed\x9f\xbf", "\xf4\x8f\xbf\xbf\xef\xbf\xbf\xed\x9f\xbf"},
  };
  for (const auto& row : rows) CHECK(id_of(body_with_id(row.text)) == row.value);
  check_unwraps_like(R"({"\u0069d":"whe_1","created_at":"2026-03-15T10:00:00\u005a","d\u0061ta":)" +
                         std::string(idled) + R"(,"type":"\u0065vent"})",
                     idled_body);
}

TEST_CASE("invalid UTF-8 is an error, wherever it is") {
  for (const auto bad : {"\xff",
                         "\xfe",
                         "\x80",
                         "\xbf",
                         "\xc0\x80",
                         "\xc0\xaf",
                         "\xc1\xbf",
                         "\xc3",
                         "\xc3(",
                         "\xe0\x80\xaf",
                         "\xe0\x9f\xbf",
                         "\xe2\x82",
                         "\xed\xa0\x80",
                         "\xed\xbf\xbf",
                         "\xf0\x80\x80\xaf",
                         "\xf0\x8f\xbf\xbf",
                         "\xf0\x9f\x98",
                         "\xf4\x90\x80\x80",
                         "\xf5\x80\x80\x80",
                         "\xf8\x88\x80\x80\x80"}) {
    const std::string text = "\"" + std::string(bad) + "\"";
    check_invalid_json(body_with_id(bad));
    check_invalid_json(body_with(idled, "\"x\":" + text + ","));
    check_invalid_json(body_with(idled, "\"x\":[{\"y\":" + text + "}],"));
    check_invalid_json(body_with(idled, text + ":1,"));
    check_invalid_json(body_with("{\"type\":\"x\",\"y\":" + text + "}"));
    check_invalid_json(bad + idled_body);
    check_invalid_json(idled_body + bad);
  }
}

TEST_CASE("a lone surrogate is U+FFFD in text that is read, and ignored elsewhere") {
  const std::string replacement = "\xef\xbf\xbd";
  const struct {
    std::string text, value;
  } rows[] = {
      {"\\ud800", replacement},
      {"\\uDFFF", replacement},
      {"\\ud83d\\ud83d", replacement + replacement},
      {"\\ud83dx", replacement + "x"},
      {"\\ud83d\\n", replacement + "\n"},
      {"\\ud83d\\u0041", replacement + "A"},
      {"\\ude00\\ud83d", replacement + replacement},
      {"\\ud83d\\ud83d\\ude00", replacement + "\xf0\x9f\x98\x80"},
      {"a\\udbffb\\udc00\\uFFFD", "a" + replacement + "b" + replacement + replacement},
  };
  for (const auto& [text, value] : rows) {
    INFO(text);
    CHECK(id_of(body_with_id(text)) == value);
    const auto quoted = "\"" + text + "\"";
    check_unwraps_like(body_with(idled, "\"x\":" + quoted + ","), idled_body);
    check_unwraps_like(body_with(idled, "\"x\":[{" + quoted + ":" + quoted + "}],"), idled_body);
    check_unwraps_like(body_with(idled, quoted + ":1,"), idled_body);
    check_unwraps_like(body_with("{" + quoted + ":1," + std::string(idled.substr(1))), idled_body);

    const auto data = R"({"type":)" + quoted + R"(,"id":)" + quoted + R"(,"x":[)" + quoted + "]," + quoted + ":1}";
    const auto unknown = unknown_of(body_with(data));
    CHECK(unknown == BetaWebhookUnknownEventData{value, value, "", "", data});
    CHECK(json(unwrap(body_with(data)))["data"] ==
          json{{"type", value}, {"id", value}, {"x", {value}}, {value, 1}});
    check_fails(R"({"id":"","type":"event","created_at":)" + quoted + R"(,"data":)" + std::string(idled) + "}",
                WebhookErrc::invalid_timestamp, "/created_at");
  }
  CHECK(ordered_json(unknown_of(body_with(R"({"type":"x","y":"\\ud83d \ud83d\ude00 \\\ud83d"})")))["y"] ==
        "\\ud83d \xf0\x9f\x98\x80 \\" + replacement);
}

TEST_CASE("a number may have any size") {
  for (const auto& number : {"1e999999"s, "-1e999999"s, "1e309"s, "1e-999999"s, repeated("9", 1000),
                             "-0." + repeated("0", 1000) + "1"}) {
    check_fails(number, WebhookErrc::wrong_type, "");
    check_unwraps_like(body_with(idled, "\"x\":" + number + ","), idled_body);
    const auto unknown = unknown_of(body_with("{\"type\":\"x\",\"n\":" + number + "}"));
    CHECK(unknown.json == "{\"type\":\"x\",\"n\":" + number + "}");
  }
  const auto failure = samples::failure_of([] { return json(unwrap(body_with(R"({"type":"x","n":1e999999})"))); });
  CHECK(failure.code == WebhookErrc::invalid_json);
}

// Hostile bodies. Comparisons are in parentheses so that a failure does not print megabytes.

TEST_CASE("a deeply nested body causes no deep recursion") {
  constexpr std::size_t depth = 1'000'000;
  const std::string arrays = repeated("[", depth) + repeated("]", depth);
  const std::string objects = repeated(R"({"data":)", depth) + "1" + repeated("}", depth);
  const auto failure = [](std::string_view body) { return samples::failure_of([&] { return unwrap(body); }); };

  CHECK(failure(arrays).code == WebhookErrc::wrong_type);
  CHECK(failure(objects).path == "/type");
  CHECK(failure(repeated("[", depth)).code == WebhookErrc::invalid_json);
  CHECK(failure(body_with(arrays)).path == "/data");
  CHECK((unwrap(body_with("{\"x\":" + objects + "," + std::string(idled.substr(1)), "\"id\":" + arrays + ",")) ==
         unwrap(idled_body)));

  const std::string data = "{\"type\":\"x\",\"y\":[" + arrays + "," + objects + "]}";
  const auto event = unwrap(body_with(data));
  CHECK((event.data == BetaWebhookEventData{BetaWebhookUnknownEventData{"x", "", "", "", data}}));
}

TEST_CASE("a long string is read completely") {
  const std::string text(std::size_t{64} << 20, 'x');
  CHECK((unwrap(body_with_id(text)).id == text));
}

TEST_CASE("a million keys are read") {
  std::string keys;
  for (int i = 0; i < 1'000'000; ++i) keys += "\"k" + std::to_string(i) + "\":1,";
  const std::string data = "{" + keys + R"("type":"x","id":"i"})";
  const auto event = unwrap(body_with(data, keys));
  CHECK((event.data == BetaWebhookEventData{BetaWebhookUnknownEventData{"x", "i", "", "", data}}));
}

TEST_CASE("memory is proportional to the body, whatever it contains") {
  constexpr std::size_t million = 1'000'000;
  const std::string long_text(std::size_t{8} << 20, 'x');
  for (const auto& body :
       {repeated("[", million) + repeated("]", million), repeated("{\"data\":", million),
        body_with(idled, "\"x\":[" + repeated("{},", million) + "0],"),
        body_with(idled, repeated("\"x\":[],", million)), body_with(idled, repeated("\"id\":\"\\n\",", million)),
        body_with_id("\\n" + long_text), body_with(idled, "\"x\":\"\\n" + long_text + "\","),
        body_with("{\"type\":\"x\",\"y\":{\"\\n" + long_text + "\":1}}")}) {
    const auto before = allocations::bytes;
    WebhookError error;
    static_cast<void>(try_unwrap(body, error));
    CHECK(allocations::bytes - before < 10 * body.size());
  }
}

TEST_CASE("running out of memory throws std::bad_alloc, even from try_unwrap()") {
  const std::string body = body_with_id(std::string(std::size_t{1} << 20, 'x'));
  WebhookError error(WebhookErrc::invalid_json, "", "before");
  int thrown = 0;
  allocations::largest = 1 << 18;
  try {
    static_cast<void>(unwrap(body));
  } catch (const std::bad_alloc&) {
    ++thrown;
  }
  try {
    static_cast<void>(try_unwrap(body, error));
  } catch (const std::bad_alloc&) {
    ++thrown;
  }
  allocations::largest = allocations::unlimited;
  CHECK(thrown == 2);
  CHECK(error.code() == WebhookErrc::invalid_json);
}

TEST_CASE("only the event's strings allocate, unless the body nests deeply or has escapes") {
  std::vector<std::string> bodies;
  for (const auto& type : samples::event_types()) bodies.push_back(samples::fixture(type.tag));
  for (const auto& body : {bodies[0], bodies.back()}) bodies.push_back(json::parse(body).dump(2));
  bodies.push_back(body_with(idled, "\"x\":" + repeated("[", 15) + repeated("]", 15) + ","));
  bodies.push_back(body_with(R"({"type":"x","y":[{"z":"\n"}]})"));
  for (const auto& body : bodies) {
    INFO(body);
    CHECK(allocations_of(body) == allocations_of_copy(body));
  }
  const auto deep = body_with(idled, "\"x\":" + repeated("[", 1000) + repeated("]", 1000) + ",");
  CHECK(allocations_of(deep) <= allocations_of_copy(idled_body) + 16);
  const auto escaped = body_with_id(R"(a long text with an escape: \u0041)");
  CHECK(allocations_of(escaped) == allocations_of_copy(escaped) + 1);
}

// Agreement with nlohmann/json.

TEST_CASE("bodies are read as nlohmann reads them, with their keys in any order", "[agree]") {
  const auto check = [](const std::string& body) {
    if (!ways::agree(body)) FAIL("they differ on " << body);
  };
  const auto joined = [](const std::vector<std::string>& members) {
    std::string object = "{";
    for (const auto& member : members) object += (object.size() > 1 ? "," : "") + member;
    return object + "}";
  };
  const auto members = [](const json& object) {
    std::vector<std::string> result;
    for (const auto& [key, value] : object.items()) result.push_back(json(key).dump() + ":" + value.dump());
    return result;
  };
  for (const auto& type : samples::event_types()) {
    auto event = json::parse(samples::fixture(type.tag));
    auto envelope = members(event);
    do check(joined(envelope));
    while (std::next_permutation(envelope.begin(), envelope.end()));

    auto data = members(event["data"]);
    event.erase("data");
    do {
      auto reordered = members(event);
      reordered.push_back("\"data\":" + joined(data));
      check(joined(reordered));
    } while (std::next_permutation(data.begin(), data.end()));
  }
}

TEST_CASE("bodies are read as nlohmann reads them, with any byte changed or truncated anywhere", "[agree]") {
  const auto check = [](const std::string& body) {
    if (!ways::agree(body)) FAIL("they differ on " << body);
  };
  std::vector<std::string> bodies;
  for (const auto& [tag, keys, comment] : samples::event_types()) {
    if (tag.find(".created") != tag.npos || tag.find("opened") != tag.npos || tag.find("recovered") != tag.npos)
      bodies.push_back(samples::fixture(tag));
  }
  bodies.push_back(json::parse(bodies[0]).dump(1));
  bodies.push_back(
      "\xef\xbb\xbf" +
      body_with(R"({"type":"x\u00e9","y":[-0.5e+3,{"\ud83d\ude00":[true,null,"Ã©â¬"]}]})", R"("z":{},)"));
  for (const auto& body : bodies) {
    for (std::size_t size = 0; size < body.size(); ++size) check(body.substr(0, size));
    for (std::size_t at = 0; at < body.size(); ++at) {
      auto changed = body;
      for (const char c : std::string_view("\0\x1f \"\\/,:{}[]-+.019AZaez\x7f\x80\xbf\xff", 27)) {
        changed[at] = c;
        check(changed);
      }
      check(changed.erase(at, 1));
      check(body.substr(0, at) + body[at] + body.substr(at));
    }
  }
  const auto& body = bodies.front();
  for (std::size_t at = 0; at < body.size(); ++at) {
    auto changed = body;
    for (int c = 0; c < 256; ++c) {
      changed[at] = static_cast<char>(c);
      check(changed);
    }
  }
}
