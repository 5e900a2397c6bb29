// SPDX-License-Identifier: MIT
#include "harness.hpp"
#include "peers/peers.hpp"
#include "verification.hpp"

#include <anthropic/webhooks.hpp>
#include <nlohmann/json.hpp>

#include <cstddef>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace webhooks = anthropic::webhooks;

namespace {

struct unwrapper {
  const char* name;
  webhooks::UnwrapWebhookEvent (*unwrap)(std::string_view body);
};

const unwrapper unwrap{"unwrap", [](std::string_view body) { return webhooks::unwrap(body); }};
const unwrapper nlohmann_dom{"nlohmann DOM", peers::nlohmann_dom};
const std::vector<unwrapper> all{
    unwrap,
    nlohmann_dom,
    {"nlohmann SAX", peers::nlohmann_sax},
#ifdef WITH_RAPIDJSON
    {"RapidJSON SAX, in situ", peers::rapidjson_sax},
    {"RapidJSON SAX, in situ, UTF-8 checked", peers::rapidjson_sax_utf8},
#endif
#ifdef WITH_SIMDJSON
    {"simdjson On-Demand", peers::simdjson_on_demand},
#endif
#ifdef WITH_BOOST_JSON
    {"Boost.JSON SAX (basic_parser)", peers::boost_json_sax},
#endif
};

/// Calls `f` with the index of each of `count` things in turn.
template <class F>
auto in_turn(std::size_t count, F f) {
  return [=, i = std::size_t{0}]() mutable {
    i = i + 1 == count ? 0 : i + 1;
    return f(i);
  };
}

/// The rows of a table: the unwrappers, which have to agree, and then a copy of what they return.
std::vector<harness::result> measure(const std::vector<unwrapper>& unwrappers,
                                     const std::vector<std::string>& bodies) {
  std::vector<webhooks::UnwrapWebhookEvent> events;
  for (const auto& body : bodies) events.push_back(webhooks::unwrap(body));

  std::vector<harness::row> rows;
  for (const auto& each : unwrappers) {
    for (std::size_t i = 0; i < bodies.size(); ++i) {
      if (each.unwrap(bodies[i]) != events[i]) throw std::runtime_error(each.name + (" misreads " + bodies[i]));
    }
    rows.push_back(harness::make_row(
        each.name, in_turn(bodies.size(), [&bodies, f = each.unwrap](std::size_t i) { return f(bodies[i]); })));
  }
  rows.push_back(harness::make_row("copy of the event", in_turn(events.size(), [&](std::size_t i) {
                                     return webhooks::UnwrapWebhookEvent(events[i]);
                                   })));
  return harness::measure(rows, bodies.size());
}

void print_peers(const char* title, const std::vector<std::string>& bodies) {
  const auto results = measure(all, bodies);
  std::printf("\n%-42s %8s %10s %12s\n", title, "ns", "x unwrap", "allocations");
  for (std::size_t i = 0; i < results.size(); ++i) {
    std::printf("%-42s %8.0f %10.2f %12.1f\n", i < all.size() ? all[i].name : "copy of the event (the floor)",
                results[i].ns, results[i].ns / results[0].ns, results[i].allocations);
  }
}

const char* way(std::string_view body) {
  webhooks::detail::body_outline outline{body};
  return webhooks::detail::read_plain(outline) ? "fast pass" : "nlohmann";
}

void print_body(const char* name, const std::string& body) {
  const auto results = measure({unwrap, nlohmann_dom}, {body});
  std::printf("%-42s %-9s %8.0f %8.0f %8.0f %8.2f %7.0f/%.0f\n", name, way(body), results[0].ns, results[1].ns,
              results[2].ns, results[1].ns / results[0].ns, results[0].allocations, results[2].allocations);
}

std::string read(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
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

}  // namespace

int main() {
  std::setvbuf(stdout, nullptr, _IOLBF, BUFSIZ);  // so that the tables appear as they are measured
  const std::string real = read(FIXTURES_DIR "/session.status_idled.json");
  print_peers(("A real body, " + std::to_string(real.size()) + " bytes").c_str(), {real});

  std::vector<std::string> fixtures;
  for (const auto& entry : std::filesystem::directory_iterator(FIXTURES_DIR))
    fixtures.push_back(read(entry.path()));
  print_peers("A body of every event type, in turn", fixtures);

  const auto json = nlohmann::ordered_json::parse(real);
  std::printf("\n%-42s %-9s %8s %8s %8s %8s %s\n", "The real body, changed", "way", "unwrap", "DOM", "copy",
              "DOM/unw.", "allocations/copy's");
  print_body("none", real);
  print_body("white space everywhere", json.dump(2));
  print_body("keys in another order", reversed(json).dump());
  print_body("unknown string in data", replaced(real, R"("type")", R"("agent_id":"agent_011CZkYqphY8","type")"));
  print_body("unknown number in the envelope", replaced(real, R"("data")", R"("api_version":3,"data")"));
  print_body("unknown UTF-8 string in data", replaced(real, R"("type")", R"("title":"Grüße","type")"));
  print_body("unknown object in data",
             replaced(real, R"("type")", R"("agent":{"id":"agent_01","version":3},"type")"));
  print_body("an escape in an ID", replaced(real, "sesn_", R"(sesn\u005f)"));
  print_body("unknown event type", replaced(real, "session.status_idled", "agent.created"));

#ifdef WITH_VERIFICATION
  print_verification(real);
#endif
  std::printf("%s", SKIPPED);
}
