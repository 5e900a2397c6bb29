// SPDX-License-Identifier: MIT
#pragma once

#include <anthropic/webhooks/error.hpp>
#include <anthropic/webhooks/events.hpp>

#include <cstddef>
#include <fstream>
#include <map>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace samples {

template <class F, std::size_t... Index>
void for_each_event_type(F f, std::index_sequence<Index...>) {
  (f(std::variant_alternative_t<Index, anthropic::webhooks::BetaWebhookEventData>{}), ...);
}

/// Calls `f` with an empty value of each alternative of the variant but the last, the unknown event.
template <class F>
void for_each_event_type(F f) {
  constexpr std::size_t alternatives = std::variant_size_v<anthropic::webhooks::BetaWebhookEventData>;
  for_each_event_type(f, std::make_index_sequence<alternatives - 1>());
}

/// Calls `f` with the key and the value of each member of an event's data, in order.
template <class T, class F>
void for_each_member(T& data, F f) {
  std::apply(
      [&](const auto&... each) {
        const auto call_if_there = [&](const auto& member) {
          if constexpr (std::is_invocable_v<decltype(member.get), T&>) f(member.name, member.get(data));
        };
        (call_if_there(each), ...);
      },
      anthropic::webhooks::detail::all_members);
}

inline std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> parts;
  std::istringstream in(text);
  for (std::string part; std::getline(in, part, separator);) parts.push_back(part);
  return parts;
}

/// A row of tests/fixtures/event_types.tsv.
struct event_type {
  std::string tag;
  std::vector<std::string> keys;  // of `data`, without id and type
  std::string comment;
};

inline const std::vector<event_type>& event_types() {
  static const std::vector<event_type> all = [] {
    std::vector<event_type> types;
    std::ifstream file(FIXTURES_DIR "/event_types.tsv");
    for (std::string line; std::getline(file, line);) {
      const auto cells = split(line, '\t');
      if (line[0] == '#') continue;
      if (cells.size() != 3) throw std::runtime_error("event_types.tsv: not three cells: " + line);
      types.push_back({cells[0], split(cells[1], ' '), cells[2]});
    }
    return types;
  }();
  return all;
}

/// A body with this `data.type`, its keys in wire order.
inline std::string fixture(std::string_view tag) {
  for (const auto& type : event_types()) {
    if (type.tag != tag) continue;
    std::map<std::string, std::string> members;
    for (const auto& key : type.keys) {
      members[key] = key.substr(0, key.find("_id")) + "_011CZkZDLs7fYzm1hXNPeRjv";
    }
    members["organization_id"] = "org_011CZkZZAe0sMna4vkBdtrfx";
    if (members.count("workspace_id") != 0) members["workspace_id"] = "wrkspc_011CZkZaBF1tNoB5wlCeusgy";
    members["type"] = tag;
    std::string data = R"("id":"sesn_011CZkZAtmR3yMPDzynEDxu7")";
    for (const auto& [key, value] : members) data.append(",\"" + key + "\":\"" + value + "\"");
    return R"({"id":"whe_0f1e2d3c4b5a69788796a5b4c3d2e1f0","created_at":"2026-03-15T10:00:00Z","data":{)" + data +
           R"(},"type":"event"})";
  }
  throw std::runtime_error("event_types.tsv has no " + std::string(tag));
}

struct failure {
  anthropic::webhooks::WebhookErrc code = anthropic::webhooks::WebhookErrc::none;
  std::string path, what;
};

/// The WebhookParseError that `f` throws; any other exception fails the test.
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
