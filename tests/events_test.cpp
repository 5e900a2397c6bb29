// SPDX-License-Identifier: MIT
#include <anthropic/webhooks/events.hpp>

#if defined(INCLUDE_NLOHMANN_JSON_FWD_HPP_) || defined(DATE_H)
#error "events.hpp includes standard headers only"
#endif

#include "catch.hpp"
#include "samples.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <fstream>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>
#include <vector>

using namespace anthropic::webhooks;

namespace {

constexpr std::size_t known_types = std::variant_size_v<BetaWebhookEventData> - 1;

template <class T, std::size_t... Is>
T numbered(std::index_sequence<Is...> /*members*/) {
  return T{std::to_string(Is + 1)...};
}

/// A T whose members are "1", "2" and so on, in order: an event's data has only strings.
template <class T>
T numbered() {
  return numbered<T>(std::make_index_sequence<sizeof(T) / sizeof(std::string)>());
}

/// The keys of the members, in the struct's order.
template <class T>
std::vector<std::string> keys_of() {
  std::vector<std::string> keys(sizeof(T) / sizeof(std::string));
  T data = numbered<T>();
  samples::for_each_member(
      data, [&](std::string_view key, const std::string& number) { keys[std::stoul(number) - 1] = key; });
  return keys;
}

template <class T>
std::vector<std::string*> members(T& data) {
  std::vector<std::string*> result;
  samples::for_each_member(data, [&](std::string_view, std::string& value) { result.push_back(&value); });
  if constexpr (std::is_same_v<T, BetaWebhookUnknownEventData>)
    result.insert(result.end(), {&data.type, &data.json});
  return result;
}

/// The name of this function, which contains that of T.
template <class T>
std::string_view signature() {
#ifdef _MSC_VER
  return __FUNCSIG__;
#else
  return __PRETTY_FUNCTION__;
#endif
}

/// "BetaWebhookVaultCreatedEventData" for "vault.created".
std::string struct_name(std::string tag) {
  std::string name = "BetaWebhook";
  bool starts_word = true;
  for (const char c : tag) {
    const bool separates = c == '.' || c == '_';
    if (!separates) name += starts_word ? static_cast<char>(c - 'a' + 'A') : c;
    starts_word = separates;
  }
  return name + "EventData";
}

/// The comments of a struct in events.hpp and of its `id`, each on one line.
struct comments {
  std::string of_struct, of_id;
};

comments comments_of(const std::string& name) {
  const auto starts_with = [](const std::string& line, const std::string& start) {
    return line.compare(0, start.size(), start) == 0;
  };
  std::ifstream file(FIXTURES_DIR "/../../include/anthropic/webhooks/events.hpp");
  comments found;
  bool inside = false;
  for (std::string line; std::getline(file, line);) {
    if (inside) {
      const std::string id = "  std::string id;  ///< ";
      if (starts_with(line, "};")) return found;
      if (starts_with(line, id)) found.of_id = line.substr(id.size());
    } else if (starts_with(line, "/// ")) {
      found.of_struct += (found.of_struct.empty() ? "" : " ") + line.substr(4);
    } else if (starts_with(line, "struct " + name + " {")) {
      inside = true;
    } else {
      found.of_struct.clear();
    }
  }
  return {};
}

/// Throws on conversion to T.
template <class T>
struct thrower {
  operator T() const { throw 1; }
};

/// The results of == and !=, in both orders.
struct comparison {
  bool equal, equal_reversed, unequal, unequal_reversed;
};

template <class T>
comparison compare(const T& a, const T& b) {
  return {a == b, b == a, a != b, b != a};
}

void check_comparison(const comparison& found, bool equal) {
  CHECK(found.equal == equal);
  CHECK(found.equal_reversed == equal);
  CHECK(found.unequal == !equal);
  CHECK(found.unequal_reversed == !equal);
}

template <class T>
void check_equality_by_members(const T& data) {
  BetaWebhookEventData variant, other_variant;
  variant.emplace<T>(data);
  T& other = other_variant.emplace<T>(data);
  check_comparison(compare(data, other), true);
  for (std::string* const member : members(other)) {
    const std::string before = *member;
    *member += "x";
    check_comparison(compare(data, other), false);
    check_comparison(compare(variant, other_variant), false);
    *member = before;
  }
}

template <class T>
constexpr bool moves_without_throwing =
    std::is_nothrow_move_constructible_v<T>&& std::is_nothrow_move_assignable_v<T>;

}  // namespace

TEST_CASE("the variant has the service's event types in order, and the unknown one last") {
  const auto& rows = samples::event_types();
  REQUIRE(rows.size() == known_types);
  struct struct_type {
    std::string tag;
    std::string_view signature;
    std::size_t index;
    std::vector<std::string> keys, keys_in_list;
  };
  std::vector<struct_type> types;
  samples::for_each_event_type([&](auto empty) {
    using T = decltype(empty);
    static_assert(std::is_aggregate_v<T>);
    static_assert(std::is_convertible_v<T, BetaWebhookEventData>);
    BetaWebhookEventData data;
    data.emplace<T>();
    types.push_back({std::string(T::type), signature<T>(), data.index(), keys_of<T>(), {}});
    samples::for_each_member(empty,
                             [&](std::string_view key, auto&) { types.back().keys_in_list.emplace_back(key); });
  });
  for (std::size_t i = 0; i < known_types; ++i) {
    const auto& type = types[i];
    const auto& keys = rows[i].keys;
    INFO(type.tag);
    CHECK(type.tag == rows[i].tag);
    CHECK(type.signature.find("::" + struct_name(type.tag)) != std::string_view::npos);
    CHECK(type.index == i);
    CHECK(type.keys == type.keys_in_list);
    std::vector<std::string> expected{"id", "organization_id"};
    for (const auto& key : keys) {
      if (key == "workspace_id") expected.push_back(key);
    }
    for (const auto& key : keys) {  // the others come last
      if (key != "organization_id" && key != "workspace_id") expected.push_back(key);
    }
    CHECK(type.keys == expected);
  }
  static_assert(
      std::is_same_v<std::variant_alternative_t<known_types, BetaWebhookEventData>, BetaWebhookUnknownEventData>);
  static_assert(std::is_aggregate_v<BetaWebhookUnknownEventData>);
  static_assert(std::is_aggregate_v<BetaWebhookEvent>);
}

TEST_CASE("each struct has the comment of its row in event_types.tsv") {
  for (const auto& [tag, keys, comment] : samples::event_types()) {
    INFO(tag);
    const auto found = comments_of(struct_name(tag));
    CHECK(found.of_struct == comment);
    std::string resource = tag.substr(0, tag.find('.'));
    std::replace(resource.begin(), resource.end(), '_', ' ');
    CHECK(found.of_id == "ID of the " + resource + ".");

    // Facts that hold for all types.
    const bool has_workspace = std::find(keys.begin(), keys.end(), "workspace_id") != keys.end();
    const bool of_organization = comment.find("Only an organization's endpoint") != std::string::npos;
    CHECK(of_organization == !has_workspace);
    const bool deleted = tag.find(".deleted") != std::string::npos;
    CHECK(deleted == (comment.find("There is nothing left to fetch.") != std::string::npos));
  }
}

TEST_CASE("event_type() and workspace_id() work for every alternative") {
  struct views {
    std::string_view tag, type_of_variant, type_of_struct;
    std::string workspace, workspace_of_variant, workspace_of_struct;
    bool is_into_struct;
  };
  std::vector<views> all;
  samples::for_each_event_type([&](auto empty) {
    using T = decltype(empty);
    BetaWebhookEventData variant;
    variant.emplace<T>(numbered<T>());
    const T alone = numbered<T>();
    bool is_into_struct = true;
    std::string workspace;
    samples::for_each_member(alone, [&](std::string_view key, const std::string& value) {
      if (key != "workspace_id") return;
      workspace = value;
      is_into_struct = workspace_id(alone).data() == value.data();
    });
    all.push_back({T::type, event_type(variant), event_type(alone), workspace, std::string(workspace_id(variant)),
                   std::string(workspace_id(alone)), is_into_struct});
  });
  for (const auto& each : all) {
    INFO(each.tag);
    CHECK(each.type_of_variant == each.tag);
    CHECK(each.type_of_struct == each.tag);
    CHECK(each.workspace_of_variant == each.workspace);
    CHECK(each.workspace_of_struct == each.workspace);
    CHECK(each.is_into_struct);
  }
  const BetaWebhookEventData unknown = BetaWebhookUnknownEventData{"workflow.published", "i", "o", "w", "{}"};
  CHECK(event_type(unknown) == "workflow.published");
  CHECK(workspace_id(unknown) == "w");

  const BetaWebhookUnknownEventData alone{"workflow.published", "i", "o", "w", "{}"};
  CHECK(event_type(alone).data() == alone.type.data());
  CHECK(workspace_id(alone).data() == alone.workspace_id.data());

  std::string_view (*const plain)(const BetaWebhookEventData&) noexcept = &event_type;
  CHECK(plain(unknown) == "workflow.published");
}

TEST_CASE("a valueless variant has no type and no workspace, and equals another one") {
  BetaWebhookEventData data;
  CHECK_THROWS_AS(data.emplace<BetaWebhookUnknownEventData>(thrower<BetaWebhookUnknownEventData>()), int);
  REQUIRE(data.valueless_by_exception());
  CHECK(event_type(data).empty());
  CHECK(workspace_id(data).empty());
  BetaWebhookEventData other;
  CHECK(data != other);
  CHECK_THROWS_AS(other.emplace<BetaWebhookVaultCreatedEventData>(thrower<BetaWebhookVaultCreatedEventData>()),
                  int);
  CHECK(data == other);
}

#if __cplusplus >= 202002L
TEST_CASE("designated initialisers name the wire's keys") {
  const BetaWebhookEvent event{
      .id = "whe_1",
      .created_at = Timestamp{std::chrono::seconds{1}},
      .data = BetaWebhookVaultCredentialDeletedEventData{
          .id = "vcrd_1", .organization_id = "org_1", .workspace_id = "wrkspc_1", .vault_id = "vlt_1"}};
  CHECK(event ==
        BetaWebhookEvent{"whe_1", Timestamp{std::chrono::seconds{1}},
                         BetaWebhookVaultCredentialDeletedEventData{"vcrd_1", "org_1", "wrkspc_1", "vlt_1"}});
  CHECK(BetaWebhookUnknownEventData{
            .type = "a", .id = "b", .organization_id = "c", .workspace_id = "d", .json = "e"} ==
        BetaWebhookUnknownEventData{"a", "b", "c", "d", "e"});
}
#endif

TEST_CASE("the envelope is tagged \"event\", and is what unwrap() returns") {
  static_assert(BetaWebhookEvent::type == "event");
  static_assert(std::is_same_v<UnwrapWebhookEvent, BetaWebhookEvent>);
  CHECK(BetaWebhookEvent{}.created_at == Timestamp{});
}

TEST_CASE("events move without throwing") {
  samples::for_each_event_type([](auto empty) { static_assert(moves_without_throwing<decltype(empty)>); });
  static_assert(moves_without_throwing<BetaWebhookUnknownEventData>);
  static_assert(moves_without_throwing<BetaWebhookEventData>);
  static_assert(moves_without_throwing<BetaWebhookEvent>);
}

TEST_CASE("events are equal when all their members are") {
  samples::for_each_event_type([](auto empty) {
    INFO(decltype(empty)::type);
    check_equality_by_members(numbered<decltype(empty)>());
  });
  check_equality_by_members(BetaWebhookUnknownEventData{"1", "2", "3", "4", "5"});
  check_comparison(
      compare<BetaWebhookEventData>(BetaWebhookSessionCreatedEventData{}, BetaWebhookSessionDeletedEventData{}),
      false);

  const auto envelope = [](const char* id, int microseconds) {
    return BetaWebhookEvent{id, Timestamp{std::chrono::microseconds{microseconds}},
                            BetaWebhookSessionCreatedEventData{"1", "2", "3"}};
  };
  const auto event = envelope("whe_1", 0);
  check_comparison(compare(event, envelope("whe_1", 0)), true);
  check_comparison(compare(event, envelope("whe_2", 0)), false);
  check_comparison(compare(event, envelope("whe_1", 1)), false);
  check_comparison(compare(event, {"whe_1", Timestamp{}, BetaWebhookSessionDeletedEventData{"1", "2", "3"}}),
                   false);
}

TEST_CASE("overloaded picks the lambda for the alternative, or else the catch-all") {
  const auto name = [](const BetaWebhookEventData& data) {
    return std::visit(overloaded{[](const BetaWebhookSessionIdledEventData& idled) { return idled.id; },
                                 [](const BetaWebhookUnknownEventData& unknown) { return unknown.type; },
                                 [](const auto& other) { return std::string("other ") + other.id; }},
                      data);
  };
  CHECK(name(BetaWebhookSessionIdledEventData{"sesn_1", "", ""}) == "sesn_1");
  CHECK(name(BetaWebhookUnknownEventData{"workflow.published", "", "", "", ""}) == "workflow.published");
  CHECK(name(BetaWebhookVaultCreatedEventData{"vlt_1", "", ""}) == "other vlt_1");
}
