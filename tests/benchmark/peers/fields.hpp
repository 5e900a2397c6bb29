// SPDX-License-Identifier: MIT
#pragma once

#include <anthropic/webhooks/detail/fields.hpp>
#include <anthropic/webhooks/events.hpp>
#include <anthropic/webhooks/timestamp.hpp>

#include <array>
#include <cstddef>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <variant>

namespace peers {

namespace detail = anthropic::webhooks::detail;

/// The strings of a body by their keys. They become an event at its end, since the type follows some of the fields
/// that depend on it. String is std::string_view if the parser keeps strings alive that long.
template <class String>
struct fields {
  using slot = std::optional<String>;
  slot id, created_at, type;
  std::array<slot, detail::member_count + 1> data;  // the members by their indices, and the type

  template <class Key>
  slot* of_envelope(const Key& name) {
    if (name == "id") return &id;
    if (name == "created_at") return &created_at;
    return name == "type" ? &type : nullptr;
  }

  template <class Key>
  slot* of_data(const Key& name) {
    return find_in_data(name, std::make_index_sequence<std::tuple_size_v<decltype(data)>>());
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
  template <class Key, std::size_t... Is>
  slot* find_in_data(const Key& name, std::index_sequence<Is...> /*keys*/) {
    slot* found = nullptr;
    static_cast<void>(((name == detail::key_names[Is] && (found = &data[Is]) != nullptr) || ...));
    return found;
  }

  static String&& required(slot& field) {
    if (!field) throw std::runtime_error("a field is missing");
    return std::move(*field);
  }

  template <class... Ts>
  bool read_data(std::variant<Ts...>& result) {
    const std::string_view tag = required(data[detail::type_key]);
    return (read_if_tagged<Ts>(tag, result) || ...);
  }

  template <class T, std::size_t... Is>
  T make(std::index_sequence<Is...>) {
    return {std::string(required(data[detail::indices_of<T>()[Is]]))...};
  }

  template <class T, class Variant>
  bool read_if_tagged(std::string_view tag, Variant& variant) {
    if constexpr (detail::is_known_event_data<T>) {
      if (tag == T::type) {
        variant = make<T>(std::make_index_sequence<detail::indices_of<T>().size()>());
        return true;
      }
    }
    return false;
  }
};

}  // namespace peers
