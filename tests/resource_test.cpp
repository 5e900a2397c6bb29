// SPDX-License-Identifier: MIT
#include <anthropic/webhooks/resource.hpp>

#if defined(INCLUDE_NLOHMANN_JSON_FWD_HPP_) || defined(DATE_H)
#error "resource.hpp includes standard headers only"
#endif

#include "catch.hpp"
#include "samples.hpp"

#include <algorithm>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>
#include <vector>

using namespace anthropic::webhooks;
using namespace std::literals;

namespace {

const char* const managed_agents = "managed-agents-2026-04-01";

/// What the service documents for the event types with this prefix, except for those with ".deleted".
const struct {
  std::string_view prefix, path, beta;
} documented[] = {
    {"session.thread_", "/v1/sessions/ID/threads/THREAD", managed_agents},
    {"session.", "/v1/sessions/ID", managed_agents},
    {"vault.", "/v1/vaults/ID", managed_agents},
    {"vault_credential.", "/v1/vaults/VAULT/credentials/ID", managed_agents},
    {"agent.", "/v1/agents/ID", managed_agents},
    {"deployment.", "/v1/deployments/ID", managed_agents},
    {"deployment_run.", "/v1/deployment_runs/ID", managed_agents},
    {"environment.", "/v1/environments/ID", managed_agents},
    {"memory_store.", "/v1/memory_stores/ID", "agent-memory-2026-07-22"},
    {"user_profile.", "/v1/user_profiles/ID", "user-profiles-2026-08-18"},
    {"external_key.", "/v1/organizations/external_keys/ID", ""},
    {"external_storage.", "/v1/organizations/external_storage/ID", "efs-2026-10-01"},
};

/// What resource_of() returns for an event with telltale members, in the variant and alone.
struct found_resource {
  std::string type;
  std::optional<WebhookResource> of_variant, of_struct;
};

std::vector<found_resource> resources_of_all(const std::string& id) {
  std::vector<found_resource> all;
  samples::for_each_event_type([&](auto empty) {
    using T = decltype(empty);
    BetaWebhookEventData variant;
    auto& data = variant.emplace<T>();
    data.id = id;
    data.organization_id = "ORGANIZATION";
    samples::for_each_member(data, [](std::string_view key, std::string& value) {
      if (key == "session_thread_id") value = "THREAD";
      if (key == "vault_id") value = "VAULT";
      if (key == "workspace_id") value = "WORKSPACE";
      if (key == "enforcement_action_id") value = "ACTION";
    });
    all.push_back({std::string(T::type), resource_of(variant), resource_of(data)});
  });
  return all;
}

std::optional<std::string> path_of(const BetaWebhookEventData& data) {
  const auto resource = resource_of(data);
  return resource ? std::optional(resource->path) : std::nullopt;
}

/// Throws on conversion to T.
template <class T>
struct thrower {
  operator T() const { throw 1; }
};

}  // namespace

TEST_CASE("every event type has its documented path and beta header, unless its object was deleted") {
  for (const auto& found : resources_of_all("ID")) {
    const auto& resource = found.of_variant;
    INFO(found.type);
    CHECK(resource == found.of_struct);
    if (found.type.find(".deleted") != std::string::npos) {
      CHECK(!resource);
      continue;
    }
    REQUIRE(resource);
    const auto row = std::find_if(std::begin(documented), std::end(documented), [&found](const auto& each) {
      return found.type.compare(0, each.prefix.size(), each.prefix) == 0;
    });
    REQUIRE(row != std::end(documented));
    CHECK(resource->path == row->path);
    CHECK(resource->beta == row->beta);
  }
}

TEST_CASE("neither an unknown event nor a valueless variant has a resource") {
  for (const char* const type : {"workflow.published", "session.renamed", "session.idled", "", "session."}) {
    const BetaWebhookUnknownEventData unknown{type, "ID", "ORGANIZATION", "WORKSPACE", "{}"};
    CHECK(!resource_of(unknown));
    CHECK(!resource_of(BetaWebhookEventData(unknown)));
  }
  BetaWebhookEventData data;
  CHECK_THROWS_AS(data.emplace<BetaWebhookVaultCreatedEventData>(thrower<BetaWebhookVaultCreatedEventData>()),
                  int);
  REQUIRE(data.valueless_by_exception());
  CHECK(!resource_of(data));
}

TEST_CASE("an event has no resource if any ID in its path cannot be a segment") {
  for (const char* const id : {"", ".", ".."}) {
    INFO(id);
    for (const auto& [type, of_variant, of_struct] : resources_of_all(id)) {
      INFO(type);
      CHECK(!of_variant);
      CHECK(!of_struct);
    }
    CHECK(!path_of(BetaWebhookSessionThreadIdledEventData{"ID", "", "", id}));
    CHECK(!path_of(BetaWebhookVaultCredentialCreatedEventData{"ID", "", "", id}));
    // The other IDs are not in the path.
    CHECK(path_of(BetaWebhookSessionIdledEventData{"ID", id, id}) == "/v1/sessions/ID");
    CHECK(path_of(BetaWebhookUserProfileEnforcementActionOpenedEventData{"ID", id, id}) == "/v1/user_profiles/ID");
  }
}

TEST_CASE("IDs are percent-encoded, so that none changes the path") {
  const struct {
    std::string id, segment;
  } rows[] = {
      {"sesn_011CZkZAtmR3yMPDzynEDxu7", "sesn_011CZkZAtmR3yMPDzynEDxu7"},
      {"a/b", "a%2Fb"},
      {"../../v1/organizations", "..%2F..%2Fv1%2Forganizations"},
      {"a\\..\\b", "a%5C..%5Cb"},
      {"a?limit=1", "a%3Flimit=1"},
      {"a#b", "a%23b"},
      {"%", "%25"},
      {"%2e%2e", "%252e%252e"},
      {"%2F", "%252F"},
      {"...", "..."},
      {".a", ".a"},
      {"a b\r\nx-api-key: c", "a%20b%0D%0Ax-api-key:%20c"},
      {"\0"s, "%00"},
      {"\x7f", "%7F"},
      {"\xc3\xa9\xff", "%C3%A9%FF"},
      {"{}[]|^`\"<>", "%7B%7D%5B%5D%7C%5E%60%22%3C%3E"},
      {"-._~!$&'()*+,;=:@", "-._~!$&'()*+,;=:@"},  // RFC 3986: pchar
  };
  for (const auto& [id, segment] : rows) {
    INFO(id);
    CHECK(path_of(BetaWebhookSessionIdledEventData{id, "", ""}) == "/v1/sessions/" + segment);
    CHECK(path_of(BetaWebhookSessionThreadIdledEventData{id, "", "", id}) ==
          "/v1/sessions/" + segment + "/threads/" + segment);
    CHECK(path_of(BetaWebhookVaultCredentialArchivedEventData{"ID", "", "", id}) ==
          "/v1/vaults/" + segment + "/credentials/ID");
  }

  const std::string pchar = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~!$&'()*+,;=:@";
  for (int byte = 0; byte < 256; ++byte) {
    const std::string id = std::string("x") + static_cast<char>(byte);
    const auto path = path_of(BetaWebhookAgentCreatedEventData{id, "", ""});
    CHECK(path->size() == "/v1/agents/x"sv.size() + (pchar.find(id[1]) != std::string::npos ? 1 : 3));
  }
}

TEST_CASE("resource_of() is a plain function, and its result outlives the event") {
  std::optional<WebhookResource> (*const plain)(const BetaWebhookEventData&) = &resource_of;
  const auto resource = plain(BetaWebhookMemoryStoreCreatedEventData{"memstore_1", "", ""});
  CHECK(resource == WebhookResource{"/v1/memory_stores/memstore_1", "agent-memory-2026-07-22"});
  CHECK(resource != WebhookResource{"/v1/memory_stores/memstore_1", ""});
  CHECK(resource != WebhookResource{"/v1/memory_stores/memstore_2", "agent-memory-2026-07-22"});
  static_assert(std::is_aggregate_v<WebhookResource>);
  static_assert(std::is_nothrow_move_constructible_v<WebhookResource>);
}
