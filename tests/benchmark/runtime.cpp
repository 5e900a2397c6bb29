// SPDX-License-Identifier: MIT
#include "../samples.hpp"
#include "chart.hpp"
#include "harness.hpp"
#include "peers/peers.hpp"
#include "verification.hpp"
#include "version.hpp"

#include <anthropic/webhooks/events.hpp>
#include <nlohmann/json.hpp>

#include <cstddef>
#include <cstdio>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace webhooks = anthropic::webhooks;

namespace {

constexpr double no_goal = 0;

struct unwrapper {
  const char* name;
  webhooks::UnwrapWebhookEvent (*unwrap)(std::string_view body);
  double goal = no_goal;  // the least time it should take, as a multiple of unwrap()'s
};

#ifdef __clang__
constexpr double simdjson_goal = 1.3;
#else
constexpr double simdjson_goal = 1.35;
#endif
const std::vector<unwrapper> all{
    {"unwrap()", peers::unwrap},
    {"nlohmann DOM", peers::nlohmann_dom, 15},
    {"nlohmann SAX", peers::nlohmann_sax},
#ifdef WITH_RAPIDJSON
    {"RapidJSON (SAX, in situ)", peers::rapidjson_sax, 1.5},
    {"RapidJSON that checks UTF-8", peers::rapidjson_sax_utf8},
#endif
#ifdef WITH_SIMDJSON
    {"simdjson On-Demand", peers::simdjson_on_demand, simdjson_goal},
#endif
#ifdef WITH_BOOST_JSON
    {"Boost.JSON (SAX)", peers::boost_json_sax},
#endif
};

const unwrapper copy{"copying the finished event", nullptr, 1 / 2.4};

/// Calls `f` with the index of each of `count` things in turn.
template <class F>
auto in_turn(std::size_t count, F f) {
  return [=, i = std::size_t{0}]() mutable {
    i = i + 1 == count ? 0 : i + 1;
    return f(i);
  };
}

/// The median times of the unwrappers, which must agree on each body, and then of copying the events.
std::vector<harness::result> measure(const std::vector<unwrapper>& unwrappers,
                                     const std::vector<std::string>& bodies) {
  std::vector<webhooks::UnwrapWebhookEvent> events;
  for (const auto& body : bodies) events.push_back(peers::unwrap(body));

  std::vector<harness::row> rows;
  for (const auto& each : unwrappers) {
    for (std::size_t i = 0; i < bodies.size(); ++i) {
      if (each.unwrap(bodies[i]) != events[i]) throw std::runtime_error(each.name + (" misreads " + bodies[i]));
    }
    rows.push_back(harness::make_row(
        each.name, in_turn(bodies.size(), [&bodies, f = each.unwrap](std::size_t i) { return f(bodies[i]); })));
  }
  rows.push_back(harness::make_row(
      copy.name, in_turn(events.size(), [&](std::size_t i) { return webhooks::UnwrapWebhookEvent(events[i]); })));
  return harness::measure(rows, bodies.size());
}

std::string goal_text(const char* relation, double goal) {
  char text[32] = "";
  if (goal != no_goal) std::snprintf(text, sizeof text, "%s %.4g", relation, goal);
  return text;
}

/// Prints how the unwrappers compare with unwrap(), the first of them, and returns the bars of a chart.
std::vector<chart::bar> print_peers(const char* title, const std::vector<std::string>& bodies) {
  const auto results = measure(all, bodies);
  std::vector<chart::bar> bars;
  std::printf("\n%-42s %8s %10s %8s %12s\n", title, "ns", "x unwrap", "goal", "allocations");
  for (std::size_t i = 0; i < results.size(); ++i) {
    const auto [name, unwrap, goal] = i < all.size() ? all[i] : copy;
    const double ratio = results[i].ns / results[0].ns;
    std::printf("%-42s %8.0f %10.2f %8s %12.1f\n", name, results[i].ns, ratio, goal_text(">=", goal).c_str(),
                results[i].allocations);
    bars.push_back({name, ratio});
  }
  return bars;
}

struct changed_body {
  const char* name;
  std::string text;
  double goal;                // of the time, as a multiple of the real body's
  double dom_goal = no_goal;  // of nlohmann's time, as a multiple of unwrap()'s
};

/// Prints how unwrap() copes with bodies unlike those that the service sends today.
void print_changed_bodies(const std::vector<changed_body>& bodies) {
  std::vector<harness::row> rows;
  for (const auto& body : bodies) {
    rows.push_back(harness::make_row(body.name, [&body] { return peers::unwrap(body.text); }));
    rows.push_back(harness::make_row(body.name, [&body] { return peers::nlohmann_dom(body.text); }));
    rows.push_back(harness::make_row(
        body.name, [event = peers::unwrap(body.text)] { return webhooks::UnwrapWebhookEvent(event); }));
  }
  const auto results = harness::measure(rows);
  std::printf("\n%-42s %8s %8s %8s %8s %8s %18s\n", "Changed bodies", "ns", "x real", "goal", "DOM x", "goal",
              "allocations/copy's");
  for (std::size_t i = 0; i < bodies.size(); ++i) {
    const auto* const result = &results[3 * i];
    std::printf("%-42s %8.0f %8.2f %8s %8.1f %8s %12.0f/%.0f\n", bodies[i].name, result[0].ns,
                result[0].ns / results[0].ns, goal_text("<=", bodies[i].goal).c_str(), result[1].ns / result[0].ns,
                goal_text(">=", bodies[i].dom_goal).c_str(), result[0].allocations, result[2].allocations);
  }
}

std::string replaced(std::string text, std::string_view from, std::string_view to) {
  return text.replace(text.find(from), from.size(), to);
}

nlohmann::ordered_json reversed(const nlohmann::ordered_json& json) {
  auto result = nlohmann::ordered_json::object();
  for (auto member = json.end(); member != json.begin();) {
    --member;
    result[member.key()] = member->is_object() ? reversed(*member) : *member;
  }
  return result;
}

/// The event with its keys in the order of the service's documentation.
nlohmann::ordered_json as_documented(const nlohmann::ordered_json& json) {
  const auto& data = json["data"];
  return {{"type", json["type"]},
          {"id", json["id"]},
          {"created_at", json["created_at"]},
          {"data",
           {{"type", data["type"]},
            {"id", data["id"]},
            {"organization_id", data["organization_id"]},
            {"workspace_id", data["workspace_id"]}}}};
}

/// An event of an unknown type with numbers, strings, objects and arrays, about `size` bytes long.
nlohmann::ordered_json unknown_event(nlohmann::ordered_json json, std::size_t size) {
  json["data"]["type"] = "workflow.published";
  auto& more = json["data"]["changes"] = nlohmann::ordered_json::array();
  while (json.dump().size() < size) {
    more.push_back({{"path", "/agent/name"},
                    {"old", nullptr},
                    {"new", "A \"name\"\n"},
                    {"at", 1773568800.25},
                    {"by", {1, true}}});
  }
  return json;
}

#ifdef OTHER_VERSION
/// Compares this version of the headers with another.
void print_versions(const std::string& real, const std::vector<std::string>& all_bodies) {
  auto rows = rows_of_this_version(real, all_bodies);
  const auto count = rows.size();
  for (auto& row : rows_of_other_version(real, all_bodies)) rows.push_back(std::move(row));
  const auto results = harness::measure(rows, all_bodies.size());
  std::printf("\n%-42s %8s %8s %8s\n", "This version, and " OTHER_VERSION, "ns", "its ns", "ratio");
  for (std::size_t i = 0; i < count; ++i) {
    std::printf("%-42s %8.0f %8.0f %8.2f\n", rows[i].name.c_str(), results[i].ns, results[count + i].ns,
                results[i].ns / results[count + i].ns);
  }
}
#endif

}  // namespace

int main(int, char** arguments) {
  std::setvbuf(stdout, nullptr, _IOLBF, BUFSIZ);  // so that the tables appear as they are measured
  const std::string real = samples::fixture("session.status_idled");
  const auto bars = print_peers(("A real body, " + std::to_string(real.size()) + " bytes").c_str(), {real});
  if (arguments[1] != nullptr)
    chart::write(arguments[1], "Time from a body to its event, as multiples of unwrap()'s", bars);

  std::vector<std::string> fixtures;
  for (const auto& type : samples::event_types()) fixtures.push_back(samples::fixture(type.tag));
  print_peers("A body of every event type, in turn", fixtures);
#ifdef OTHER_VERSION
  print_versions(real, fixtures);
#endif

  const auto json = nlohmann::ordered_json::parse(real);
  print_changed_bodies({
      {"none", real, no_goal},
      {"the documentation's key order", as_documented(json).dump(), 1.6},
      {"keys in reverse", reversed(json).dump(), 1.6},
      {"an escape in an ID", replaced(real, "sesn_", R"(sesn\u005f)"), 1.6},
      {"an unknown string that is not ASCII", replaced(real, R"("type")", R"("title":"Grüße","type")"), 1.6},
      {"an unknown member that nests",
       replaced(real, R"("type")", R"("agent":{"id":"agent_01","version":3},"type")"), 1.6},
      {"pretty-printed", json.dump(2), 1.9},
      {"the last event type", samples::fixture("external_storage.recovered"), 1.05},
      {"an unknown event type", replaced(real, "session.status_idled", "workflow.published"), no_goal, 12},
      {"an unknown event type, 1.8 kB", unknown_event(json, 1800).dump(), no_goal, 12},
  });

#ifdef WITH_VERIFICATION
  print_verification(real);
#endif
  std::printf("%s", SKIPPED);
}
