// SPDX-License-Identifier: MIT
#pragma once

#include <anthropic/webhooks/detail/json_reader.hpp>
#include <anthropic/webhooks/error.hpp>
#include <anthropic/webhooks/events.hpp>
#include <anthropic/webhooks/timestamp.hpp>

#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>

/// The fields of events, from whatever JSON they come, and what is wrong with them.
namespace anthropic::webhooks::detail {

/// Every key of an envelope and of the data of known events, in the order of the wire.
enum class wire_key : unsigned char {
  id,
  created_at,
  data,
  enforcement_action_id,
  organization_id,
  session_thread_id,
  type,
  vault_id,
  workspace_id,
  unknown
};

inline constexpr std::array<std::string_view, 9> key_names{
    "id",   "created_at", "data",        "enforcement_action_id", "organization_id", "session_thread_id",
    "type", "vault_id",   "workspace_id"};

constexpr std::string_view name_of(wire_key key) { return key_names[static_cast<std::size_t>(key)]; }

template <class T, class = void>
inline constexpr bool has_enforcement_action_id = false;
template <class T>
inline constexpr bool has_enforcement_action_id<T, std::void_t<decltype(T::enforcement_action_id)>> = true;
template <class T, class = void>
inline constexpr bool has_session_thread_id = false;
template <class T>
inline constexpr bool has_session_thread_id<T, std::void_t<decltype(T::session_thread_id)>> = true;
template <class T, class = void>
inline constexpr bool has_vault_id = false;
template <class T>
inline constexpr bool has_vault_id<T, std::void_t<decltype(T::vault_id)>> = true;

/// The key of each member of a known event's data, in the order of the members.
template <class T>
constexpr auto keys_of() {
  std::array<wire_key, sizeof(T) / sizeof(std::string)> keys{};
  std::size_t size = 0;
  const auto add_if = [&](bool has, wire_key key) {
    if (has) keys[size++] = key;
  };
  add_if(true, wire_key::id);
  add_if(true, wire_key::organization_id);
  add_if(has_workspace_id<T>, wire_key::workspace_id);
  add_if(has_enforcement_action_id<T>, wire_key::enforcement_action_id);
  add_if(has_session_thread_id<T>, wire_key::session_thread_id);
  add_if(has_vault_id<T>, wire_key::vault_id);
  return size == keys.size() ? keys : throw "T has a member that keys_of() does not know";
}

template <std::size_t Size>
constexpr auto in_wire_order(std::array<wire_key, Size> keys) {
  for (std::size_t i = 1; i < Size; ++i) {
    for (std::size_t j = i; j > 0 && keys[j] < keys[j - 1]; --j) {
      const wire_key moved = keys[j];
      keys[j] = keys[j - 1];
      keys[j - 1] = moved;
    }
  }
  return keys;
}

/// Text from a body, made fit for a message: short, on one line, in ASCII.
inline std::string excerpt(std::string_view text) {
  constexpr std::size_t longest = 40;
  std::string result = "\"";
  for (const char c : text.substr(0, longest)) result += c >= ' ' && c <= '~' ? c : '?';
  return result += text.size() > longest ? "\"..." : "\"";
}

inline WebhookParseError wrong_type(std::string path, const char* expected, const char* found) {
  return {WebhookErrc::wrong_type, std::move(path), std::string("expected ") + expected + ", found " + found};
}

/// Room for a text without its escapes; it allocates for a long one only.
struct text_buffer {
  char* room(std::size_t size) {
    if (size <= small.size()) return small.data();
    large.resize(size);
    return large.data();
  }

  std::array<char, 256> small;
  std::string large;
};

/// What an object of a body has for each key. The strings stay where they are.
class fields {
 public:
  explicit fields(const char* path) : path_(path) {}

  void clear() { types_ = {}; }
  void set(wire_key key, json_type type, std::string_view text_with_escapes = {}) {
    types_[static_cast<std::size_t>(key)] = type;
    texts_[static_cast<std::size_t>(key)] = {text_with_escapes.data(), text_with_escapes.size()};
  }

  /// The text of a string, without its escapes.
  [[nodiscard]] std::string text(wire_key key) const {
    const std::string_view escaped = text_with_escapes(key);
    if (type_of(key) == json_type::string) return std::string(escaped);
    std::string result(escaped.size(), '\0');
    result.resize(static_cast<std::size_t>(unescape(escaped, result.data()) - result.data()));
    return result;
  }

  /// The same where it need not last longer than `buffer`.
  [[nodiscard]] std::string_view text(wire_key key, text_buffer& buffer) const {
    const std::string_view escaped = text_with_escapes(key);
    if (type_of(key) == json_type::string) return escaped;
    char* const out = buffer.room(escaped.size());
    return {out, static_cast<std::size_t>(unescape(escaped, out) - out)};
  }

  [[nodiscard]] std::string text_or_empty(wire_key key) const {
    return is_string(key) ? text(key) : std::string();
  }

  void require_string(wire_key key) const {
    if (!is_string(key)) throw not_a("a string", key);
  }
  template <std::size_t Count>
  void require_strings(const std::array<wire_key, Count>& keys) const {
    for (const wire_key key : keys) require_string(key);
  }
  void require_object(wire_key key) const {
    if (!is_object(key)) throw not_a("an object", key);
  }
  void require(std::string_view expected, wire_key key) const {
    require_string(key);
    text_buffer buffer;
    if (const auto found = text(key, buffer); found != expected) {
      throw error(WebhookErrc::invalid_value, "expected " + excerpt(expected) + ", found " + excerpt(found), key);
    }
  }

  [[nodiscard]] bool is_object(wire_key key) const { return type_of(key) == json_type::object; }
  [[nodiscard]] bool is_string(wire_key key) const { return type_of(key) >= json_type::string; }

  [[nodiscard]] WebhookParseError error(WebhookErrc code, const std::string& message, wire_key key) const {
    return {code, path_of(key), message};
  }

 private:
  [[nodiscard]] json_type type_of(wire_key key) const { return types_[static_cast<std::size_t>(key)]; }
  [[nodiscard]] std::string_view text_with_escapes(wire_key key) const {
    const auto& text = texts_[static_cast<std::size_t>(key)];
    return {text.data, text.size};
  }
  [[nodiscard]] std::string path_of(wire_key key) const {
    return std::string(path_).append("/").append(name_of(key));
  }
  [[nodiscard]] WebhookParseError not_a(const char* expected, wire_key key) const {
    if (type_of(key) == json_type::absent) return error(WebhookErrc::missing_field, "missing", key);
    return wrong_type(path_of(key), expected, name_of(type_of(key)));
  }

  struct text_view {  // not std::string_view, which would be set to zero before it is used
    const char* data;
    std::size_t size;
  };

  const char* path_;                                     // JSON Pointer
  std::array<json_type, key_names.size() + 1> types_{};  // and one for what is unknown
  std::array<text_view, key_names.size() + 1> texts_;    // of strings
};

inline BetaWebhookUnknownEventData make_unknown(const fields& in, std::string json) {
  return {in.text(wire_key::type), in.text_or_empty(wire_key::id), in.text_or_empty(wire_key::organization_id),
          in.text_or_empty(wire_key::workspace_id), std::move(json)};
}

template <class T, std::size_t... Is>
T make(const fields& in, std::index_sequence<Is...>) {
  constexpr auto keys = keys_of<T>();
  return {in.text(keys[Is])...};
}

/// Makes the data of a known event of which all but the tag is still to be checked.
template <class T>
T make(const fields& in) {
  static constexpr auto required = in_wire_order(keys_of<T>());
  in.require_strings(required);
  return make<T>(in, std::make_index_sequence<required.size()>());
}

/// Makes an alternative of the variant in its place.
template <class Data, std::size_t Index>
Data make_alternative(const fields& in) {
  using T = std::variant_alternative_t<Index, Data>;
  struct maker {
    const fields& in;
    operator T() const { return make<T>(in); }  // NOLINT(google-explicit-constructor)
  };
  return Data(std::in_place_index<Index>, maker{in});
}

template <class Data, class Indices = std::make_index_sequence<std::variant_size_v<Data> - 1>>
struct known_types;

/// The known event types by their tags, in a hash table that is filled when this is compiled.
template <class Data, std::size_t... Is>
struct known_types<Data, std::index_sequence<Is...>> {
  static constexpr std::array tags{std::variant_alternative_t<Is, Data>::type...};
  static constexpr std::array makers{&make_alternative<Data, Is>...};

  /// The index of the type with this tag, or the number of known types.
  static std::size_t find(std::string_view tag) {
    if (tag.size() < 8) return tags.size();
    std::size_t index = slots[hash(tag)];
    for (std::size_t slot = hash(tag); (index = slots[slot % slots.size()]) < tags.size(); ++slot) {
      if (tags[index] == tag) break;
    }
    return index;
  }

 private:
  /// Of the first and the last eight characters and the length; the factor leaves few types without a slot of
  /// their own.
  static constexpr std::size_t hash(std::string_view tag) {
    const std::uint64_t start = load_little_endian(tag.data());
    const std::uint64_t end = load_little_endian(tag.data() + tag.size() - 8);
    return static_cast<std::size_t>((start ^ (end + tag.size())) * 0x798F8EA0E612893F >> 56);
  }

  static constexpr auto slots = [] {
    std::array<unsigned char, 256> result{};
    for (auto& slot : result) slot = tags.size();
    for (std::size_t i = 0; i < tags.size(); ++i) {
      std::size_t slot = hash(tags[i]);
      while (result[slot % result.size()] < tags.size()) ++slot;
      result[slot % result.size()] = static_cast<unsigned char>(i);
    }
    return result;
  }();
};

/// Makes the alternative that the tag names. `json_text` makes BetaWebhookUnknownEventData::json.
template <class Data, class JsonText>
Data make_data(const fields& in, const JsonText& json_text) {
  in.require_string(wire_key::type);
  text_buffer buffer;
  const std::string_view tag = in.text(wire_key::type, buffer);
  const std::size_t index = known_types<Data>::find(tag);
  if (index < known_types<Data>::tags.size()) return known_types<Data>::makers[index](in);
  return make_unknown(in, json_text());
}

/// The envelope's tag is looked at first, so that what is no event at all is told from a faulty event.
template <class Event, class JsonText>
Event make_event(const fields& envelope, const fields& data, const JsonText& json_text) {
  envelope.require(Event::type, wire_key::type);
  envelope.require_string(wire_key::id);
  envelope.require_string(wire_key::created_at);
  text_buffer buffer;
  const auto created_at = try_parse_timestamp(envelope.text(wire_key::created_at, buffer));
  if (!created_at) {
    throw envelope.error(WebhookErrc::invalid_timestamp, expected_timestamp, wire_key::created_at);
  }
  envelope.require_object(wire_key::data);
  return {envelope.text(wire_key::id), *created_at, make_data<decltype(Event::data)>(data, json_text)};
}

}  // namespace anthropic::webhooks::detail
