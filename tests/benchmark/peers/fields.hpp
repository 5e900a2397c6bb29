// SPDX-License-Identifier: MIT
#pragma once

#include <anthropic/webhooks/detail/fields.hpp>
#include <anthropic/webhooks/events.hpp>
#include <anthropic/webhooks/timestamp.hpp>

#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace peers {

/// The strings of a body by their keys. They become an event at its end, since the type that decides over the
/// fields comes after some of them. String is std::string_view where the parser keeps a string alive so long.
template <class String>
struct fields {
  using slot = std::optional<String>;
  slot id, created_at, type;
  slot data_id, enforcement_action_id, organization_id, session_thread_id, data_type, vault_id, workspace_id;

  template <class Key>
  slot* of_envelope(const Key& key) {
    if (key == "id") return &id;
    if (key == "created_at") return &created_at;
    return key == "type" ? &type : nullptr;
  }

  template <class Key>
  slot* of_data(const Key& key) {
    if (key == "id") return &data_id;
    if (key == "organization_id") return &organization_id;
    if (key == "type") return &data_type;
    if (key == "workspace_id") return &workspace_id;
    if (key == "session_thread_id") return &session_thread_id;
    if (key == "vault_id") return &vault_id;
    return key == "enforcement_action_id" ? &enforcement_action_id : nullptr;
  }

  anthropic::webhooks::UnwrapWebhookEvent event() {
    anthropic::webhooks::UnwrapWebhookEvent event;
    if (required(type) != event.type) throw std::runtime_error("not an event");
    const auto time = anthropic::webhooks::try_parse_timestamp(required(created_at));
    if (!time) throw std::runtime_error("no timestamp");
    event.id = required(id);
    event.created_at = *time;
    if (!read_data(event.data)) throw std::runtime_error("unknown event type");
    return event;
  }

 private:
  static String&& required(slot& field) {
    if (!field) throw std::runtime_error("a field is missing");
    return std::move(*field);
  }

  template <class... Ts>
  bool read_data(std::variant<Ts...>& data) {
    const std::string_view tag = required(data_type);
    return (read_if_tagged<Ts>(tag, data) || ...);
  }

  template <class T, class Variant>
  bool read_if_tagged(std::string_view tag, Variant& variant) {
    if constexpr (anthropic::webhooks::detail::is_known_event_data<T>) {
      if (tag == T::type) {
        T& data = variant.template emplace<T>();
        data.id = required(data_id);
        data.organization_id = required(organization_id);
        if constexpr (anthropic::webhooks::detail::has_workspace_id<T>) data.workspace_id = required(workspace_id);
        if constexpr (anthropic::webhooks::detail::has_session_thread_id<T>) {
          data.session_thread_id = required(session_thread_id);
        } else if constexpr (anthropic::webhooks::detail::has_vault_id<T>) {
          data.vault_id = required(vault_id);
        } else if constexpr (anthropic::webhooks::detail::has_enforcement_action_id<T>) {
          data.enforcement_action_id = required(enforcement_action_id);
        }
        return true;
      }
    }
    return false;
  }
};

}  // namespace peers
