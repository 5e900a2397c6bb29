// SPDX-License-Identifier: MIT
#pragma once

#include <anthropic/webhooks/events.hpp>

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>

/// The object that an event is about, in the service's API.
namespace anthropic::webhooks {

/// What to GET.
struct WebhookResource {
  std::string path;       ///< Such as "/v1/sessions/sesn_011CZkZAtmR3yMPDzynEDxu7", of https://api.anthropic.com.
  std::string_view beta;  ///< The header anthropic-beta, or "" where none is needed. It never dangles.
};

/// Where the object is that triggered an event. There is none after a `.deleted` event, for an event type that is
/// not known, and where an ID is "", "." or "..", which is not a path segment. All other IDs are
/// percent-encoded. It takes a BetaWebhookEventData or one of the structs.
///
/// The request also needs the headers x-api-key and anthropic-version: 2023-06-01. For external keys and external
/// storages, the key is an Admin key. 404 is a normal answer: the object may have been deleted since.
template <class Data>
[[nodiscard]] std::enable_if_t<detail::is_data<Data>::value, std::optional<WebhookResource>> resource_of(
    const Data& data);

// ---------------------------------------------------------------------------------------------------

namespace detail {

struct resource_ids {
  std::string_view id, session_thread_id, vault_id;
};

template <class T>
resource_ids resource_ids_of(const T& data) {
  resource_ids ids{data.id, {}, {}};
  if constexpr (has_session_thread_id<T>) ids.session_thread_id = data.session_thread_id;
  if constexpr (has_vault_id<T>) ids.vault_id = data.vault_id;
  return ids;
}

template <std::size_t Index, class Data>
resource_ids resource_ids_at(const Data& data) {
  const auto* const alternative = std::get_if<Index>(&data);
  return alternative ? resource_ids_of(*alternative) : resource_ids{};  // never null, but g++ warns
}

/// The path of the objects of all event types that begin with `prefix`: a collection and the ID of a member, once
/// or twice.
struct resource_kind {
  std::string_view prefix, beta, collection;
  std::string_view resource_ids::*member = &resource_ids::id;
  std::string_view subcollection = {};
  std::string_view resource_ids::*submember = nullptr;
};

/// The first whose prefix an event type has is its kind.
inline constexpr std::array resource_kinds{
    resource_kind{"session.thread_", "managed-agents-2026-04-01", "/v1/sessions/", &resource_ids::id, "/threads/",
                  &resource_ids::session_thread_id},
    resource_kind{"session.", "managed-agents-2026-04-01", "/v1/sessions/"},
    resource_kind{"vault.", "managed-agents-2026-04-01", "/v1/vaults/"},
    resource_kind{"vault_credential.", "managed-agents-2026-04-01", "/v1/vaults/", &resource_ids::vault_id,
                  "/credentials/", &resource_ids::id},
    resource_kind{"agent.", "managed-agents-2026-04-01", "/v1/agents/"},
    resource_kind{"deployment.", "managed-agents-2026-04-01", "/v1/deployments/"},
    resource_kind{"deployment_run.", "managed-agents-2026-04-01", "/v1/deployment_runs/"},
    resource_kind{"environment.", "managed-agents-2026-04-01", "/v1/environments/"},
    resource_kind{"memory_store.", "agent-memory-2026-07-22", "/v1/memory_stores/"},
    resource_kind{"user_profile.", "user-profiles-2026-08-18", "/v1/user_profiles/"},
    resource_kind{"external_key.", "", "/v1/organizations/external_keys/"},
    resource_kind{"external_storage.", "efs-2026-10-01", "/v1/organizations/external_storage/"},
};

/// Appends an ID as a path segment (RFC 3986, section 3.3), unless it is none. A body that verified is still data:
/// no ID may lead to another path.
inline bool append_segment(std::string& path, std::string_view id) {
  constexpr std::string_view hex = "0123456789ABCDEF";
  constexpr std::string_view as_they_are =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~!$&'()*+,;=:@";
  if (id.empty() || id == "." || id == "..") return false;
  for (const char c : id) {
    const auto byte = static_cast<unsigned char>(c);
    if (as_they_are.find(c) != std::string_view::npos) {
      path += c;
    } else {
      path += {'%', hex[byte >> 4], hex[byte & 0xF]};
    }
  }
  return true;
}

inline std::optional<WebhookResource> resource_at(std::string_view type, const resource_ids& ids) {
  constexpr std::string_view deleted = ".deleted";
  if (type.size() >= deleted.size() && type.substr(type.size() - deleted.size()) == deleted) return {};
  for (const auto& kind : resource_kinds) {
    if (type.substr(0, kind.prefix.size()) != kind.prefix) continue;
    std::string path(kind.collection);
    if (!append_segment(path, ids.*kind.member)) return {};
    if (kind.submember && !append_segment(path += kind.subcollection, ids.*kind.submember)) return {};
    return WebhookResource{std::move(path), kind.beta};
  }
  return {};
}

template <class Data, std::size_t... Is>
std::optional<WebhookResource> resource_in(const Data& data, std::index_sequence<Is...> /*known*/) {
  static constexpr std::array getters{&resource_ids_at<Is, Data>...};
  if (data.index() >= getters.size()) return std::nullopt;  // unknown, or valueless
  return resource_at(event_type(data), getters[data.index()](data));
}

}  // namespace detail

template <class Data>
std::enable_if_t<detail::is_data<Data>::value, std::optional<WebhookResource>> resource_of(const Data& data) {
  if constexpr (detail::is_known_event_data<Data>) {
    return detail::resource_at(Data::type, detail::resource_ids_of(data));
  } else if constexpr (detail::is_event_data<Data>) {
    return std::nullopt;
  } else {
    return detail::resource_in(data, std::make_index_sequence<std::variant_size_v<Data> - 1>());
  }
}

template <class T>
std::enable_if_t<std::is_same_v<T, WebhookResource>, bool> operator==(const T& a, const T& b) {
  return a.path == b.path && a.beta == b.beta;
}
template <class T>
std::enable_if_t<std::is_same_v<T, WebhookResource>, bool> operator!=(const T& a, const T& b) {
  return !(a == b);
}

}  // namespace anthropic::webhooks
