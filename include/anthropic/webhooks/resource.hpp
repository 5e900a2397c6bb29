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
  std::string_view beta;  ///< The header anthropic-beta, or "" if none is needed. It never dangles.
};

/// Where to find the object of an event, or std::nullopt for a `.deleted` or unknown event, and if an ID is "",
/// "." or "..", which are not path segments. All other IDs are percent-encoded. It takes a BetaWebhookEventData or
/// one of the structs.
///
/// The request also needs the headers x-api-key and anthropic-version: 2023-06-01. For external keys and external
/// storages, the key is an Admin key. 404 is a normal answer: the object may have been deleted since.
template <class Data>
[[nodiscard]] std::enable_if_t<detail::is_data<Data>::value, std::optional<WebhookResource>> resource_of(
    const Data& data);

// ---------------------------------------------------------------------------------------------------

namespace detail {

/// The path of the objects of all event types that begin with `prefix`: a collection and the ID of a member, once
/// or twice.
struct resource_kind {
  std::string_view prefix, beta, collection;
  std::size_t member = index_of("id");
  std::string_view subcollection = {};
  std::size_t submember = member_count;
};

/// An event type is of the first kind whose prefix it has.
inline constexpr std::array resource_kinds{
    resource_kind{"session.thread_", "managed-agents-2026-04-01", "/v1/sessions/", index_of("id"), "/threads/",
                  index_of("session_thread_id")},
    resource_kind{"session.", "managed-agents-2026-04-01", "/v1/sessions/"},
    resource_kind{"vault.", "managed-agents-2026-04-01", "/v1/vaults/"},
    resource_kind{"vault_credential.", "managed-agents-2026-04-01", "/v1/vaults/", index_of("vault_id"),
                  "/credentials/", index_of("id")},
    resource_kind{"agent.", "managed-agents-2026-04-01", "/v1/agents/"},
    resource_kind{"deployment.", "managed-agents-2026-04-01", "/v1/deployments/"},
    resource_kind{"deployment_run.", "managed-agents-2026-04-01", "/v1/deployment_runs/"},
    resource_kind{"environment.", "managed-agents-2026-04-01", "/v1/environments/"},
    resource_kind{"memory_store.", "agent-memory-2026-07-22", "/v1/memory_stores/"},
    resource_kind{"user_profile.", "user-profiles-2026-08-18", "/v1/user_profiles/"},
    resource_kind{"external_key.", "", "/v1/organizations/external_keys/"},
    resource_kind{"external_storage.", "efs-2026-10-01", "/v1/organizations/external_storage/"},
};

static_assert(index_of("session_thread_id") < member_count && index_of("vault_id") < member_count);

/// Appends an ID as a path segment (RFC 3986, section 3.3), unless it is none. A body that verified is still data:
/// no ID may lead to another path.
inline bool append_segment(std::string& path, const std::string* id) {
  constexpr std::string_view hex = "0123456789ABCDEF";
  constexpr std::string_view as_they_are =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~!$&'()*+,;=:@";
  if (id == nullptr || id->empty() || *id == "." || *id == "..") return false;
  for (const char c : *id) {
    const auto byte = static_cast<unsigned char>(c);
    if (as_they_are.find(c) != std::string_view::npos) {
      path += c;
    } else {
      path += {'%', hex[byte >> 4], hex[byte & 0xF]};
    }
  }
  return true;
}

inline std::optional<WebhookResource> resource_at(std::string_view type, const member_strings& ids) {
  constexpr std::string_view deleted = ".deleted";
  if (type.size() >= deleted.size() && type.substr(type.size() - deleted.size()) == deleted) return {};
  for (const auto& kind : resource_kinds) {
    if (type.substr(0, kind.prefix.size()) != kind.prefix) continue;
    std::string path(kind.collection);
    if (!append_segment(path, ids[kind.member])) return {};
    path += kind.subcollection;
    if (kind.submember != member_count && !append_segment(path, ids[kind.submember])) return {};
    return WebhookResource{std::move(path), kind.beta};
  }
  return {};
}

}  // namespace detail

template <class Data>
std::enable_if_t<detail::is_data<Data>::value, std::optional<WebhookResource>> resource_of(const Data& data) {
  if constexpr (!detail::is_event_data<Data>) {
    // The last alternative is the unknown event; a valueless variant has an index beyond all.
    if (data.index() >= std::variant_size_v<Data> - 1) return std::nullopt;
  } else if constexpr (!detail::is_known_event_data<Data>) {
    return std::nullopt;
  }
  return detail::resource_at(event_type(data), detail::strings_of(data));
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
