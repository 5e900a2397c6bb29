// SPDX-License-Identifier: MIT
// The deliveries of send and sign: bodies from files, and generated events.
#pragma once

#include <anthropic/webhooks/json.hpp>
#include <anthropic/webhooks/verify.hpp>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <map>
#include <numeric>
#include <random>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

struct Delivery {
  std::string name;  // the argument that it comes from, or one of `all`
  std::string id, body;
};

// Signs with the first secret in ANTHROPIC_WEBHOOK_SIGNING_KEY.
inline anthropic::webhooks::WebhookVerifier signer_from_environment() {
  const char* const secrets = std::getenv("ANTHROPIC_WEBHOOK_SIGNING_KEY");
  if (secrets == nullptr || *secrets == '\0') throw std::runtime_error("ANTHROPIC_WEBHOOK_SIGNING_KEY is not set");
  const std::string text = secrets;
  return anthropic::webhooks::WebhookVerifier(text.substr(0, text.find(',')));
}

template <std::size_t... Is>
constexpr auto event_types_at(std::index_sequence<Is...> /*known*/) {
  return std::array{std::variant_alternative_t<Is, anthropic::webhooks::BetaWebhookEventData>::type...};
}
// All types that the library knows: the variant without its last alternative.
inline constexpr auto event_types =
    event_types_at(std::make_index_sequence<std::variant_size_v<anthropic::webhooks::BetaWebhookEventData> - 1>());

inline std::string random_text(std::size_t size, std::string_view alphabet) {
  static std::random_device random;
  std::uniform_int_distribution<std::size_t> index(0, alphabet.size() - 1);
  std::string text;
  while (text.size() < size) text += alphabet[index(random)];
  return text;
}

// An ID as the service makes them.
inline std::string random_id(std::string_view prefix) {
  return std::string(prefix) + "_01" +
         random_text(22, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");
}

// The ID prefix of an event type's resource.
inline std::string_view id_prefix(std::string_view event_type) {
  static const std::map<std::string_view, std::string_view> prefixes{
      {"deployment", "depl"},      {"deployment_run", "drun"},       {"environment", "env"},
      {"external_key", "extkey"},  {"external_storage", "extstore"}, {"memory_store", "memstore"},
      {"session", "sesn"},         {"user_profile", "uprof"},        {"vault", "vlt"},
      {"vault_credential", "vcrd"}};
  const auto resource = event_type.substr(0, event_type.find('.'));
  const auto found = prefixes.find(resource);
  return found == prefixes.end() ? resource : found->second;
}

// An event of this type from now, always in the same organization and workspace.
inline Delivery generate(std::string_view event_type) {
  using namespace anthropic::webhooks;
  const nlohmann::json members{{"type", event_type},
                               {"id", random_id(id_prefix(event_type))},
                               {"organization_id", "org_011CZkZZAe0sMna4vkBdtrfx"},
                               {"workspace_id", "wrkspc_011CZkZaBF1tNoB5wlCeusgy"},
                               {"session_thread_id", random_id("sthr")},
                               {"vault_id", random_id("vlt")},
                               {"enforcement_action_id", random_id("enfact")}};
  const BetaWebhookEvent event{
      "whe_" + random_text(32, "0123456789abcdef"),
      std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now()),
      members.get<BetaWebhookEventData>()};  // ignores the members that this type does not have
  return {std::string(event_type), event.id, nlohmann::ordered_json(event).dump()};
}

// The number of characters to insert, delete or replace (Levenshtein).
inline std::size_t edit_distance(std::string_view from, std::string_view to) {
  std::vector<std::size_t> row(to.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < from.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i + 1);
    for (std::size_t j = 0; j < to.size(); ++j) {
      const std::size_t replaced = diagonal + (from[i] == to[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, row[j] + 1, diagonal + 1});
    }
  }
  return row.back();
}

// Reads a body from a file. Like the service, send uses the event's ID as the webhook-id; a body that is not an
// event gets a random one.
inline Delivery read_from(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  in.peek();  // fails for a folder
  if (!in) {
    const auto nearest =
        std::min_element(event_types.begin(), event_types.end(), [&](const auto& left, const auto& right) {
          return edit_distance(path, left) < edit_distance(path, right);
        });
    throw std::runtime_error(path + " is neither an event type nor a file; the nearest type is " +
                             std::string(*nearest));
  }
  const std::string body{std::istreambuf_iterator<char>(in), {}};
  anthropic::webhooks::WebhookError error;
  const auto event = anthropic::webhooks::try_unwrap(body, error);
  return {path, event ? event->id : random_id("msg"), body};
}

// Each argument is an event type, "all", or a file.
inline std::vector<Delivery> deliveries_of(const std::vector<std::string>& arguments) {
  std::vector<Delivery> deliveries;
  for (const auto& argument : arguments) {
    if (argument == "all") {
      for (const auto& type : event_types) deliveries.push_back(generate(type));
    } else if (std::find(event_types.begin(), event_types.end(), argument) != event_types.end()) {
      deliveries.push_back(generate(argument));
    } else {
      deliveries.push_back(read_from(argument));
    }
  }
  return deliveries;
}
