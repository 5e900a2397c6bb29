// SPDX-License-Identifier: MIT
#pragma once

#include <anthropic/webhooks/detail/json_reader.hpp>
#include <anthropic/webhooks/error.hpp>
#include <anthropic/webhooks/events.hpp>
#include <anthropic/webhooks/timestamp.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>

/// The fields of events, from whatever JSON they come, and what is wrong with them.
namespace anthropic::webhooks::detail {

/// Every key of an envelope and of the data of known events, in the order of the wire. To add one, write its name
/// in both lists, a trait in events.hpp, a line in keys_of(), and one in body_reader::skip_data().
namespace key {
enum index : std::size_t {
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
inline constexpr std::array<std::string_view, unknown> names{
    "id",   "created_at", "data",        "enforcement_action_id", "organization_id", "session_thread_id",
    "type", "vault_id",   "workspace_id"};
}  // namespace key

/// The keys of the members of a known event's data in the order of the members, and then unknown ones.
using key_list = std::array<key::index, 4>;

template <class T>
constexpr key_list keys_of() {
  constexpr key::index extra = has_enforcement_action_id<T> ? key::enforcement_action_id
                               : has_session_thread_id<T>   ? key::session_thread_id
                               : has_vault_id<T>            ? key::vault_id
                                                            : key::unknown;
  if constexpr (!has_workspace_id<T>) return {key::id, key::organization_id, extra, key::unknown};
  return {key::id, key::organization_id, key::workspace_id, extra};
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

/// A text without its escapes. Only a long one that has some takes an allocation.
class unescaped_text {
 public:
  unescaped_text(std::string_view text, json_type type) : text_(text) {
    if (type != json_type::escaped_string) return;
    if (text.size() > small_.size()) large_.resize(text.size());
    char* const out = large_.empty() ? small_.data() : large_.data();
    text_ = {out, static_cast<std::size_t>(unescape(text, out) - out)};
  }
  unescaped_text(const unescaped_text&) = delete;
  unescaped_text& operator=(const unescaped_text&) = delete;

  [[nodiscard]] std::string_view view() const { return text_; }

 private:
  std::array<char, 256> small_;
  std::string large_;
  std::string_view text_;
};

/// What an object of a body has for each key. The texts of strings stay where they are, with their escapes.
class fields {
 public:
  explicit fields(const char* path) : path_(path) {}

  void clear() { types_ = {}; }
  void set(key::index key, json_type type, std::string_view text = {}) {
    types_[key] = type;
    texts_[key] = {text.data(), text.size()};
  }

  [[nodiscard]] bool is_object(key::index key) const { return types_[key] == json_type::object; }
  [[nodiscard]] bool is_string(key::index key) const { return types_[key] >= json_type::string; }

  /// The text of a string.
  template <class = void>
  [[nodiscard]] std::string text(key::index key) const;
  [[nodiscard]] unescaped_text short_text(key::index key) const {
    return {{texts_[key].data, texts_[key].size}, types_[key]};
  }
  [[nodiscard]] std::string text_or_empty(key::index key) const { return is_string(key) ? text(key) : ""; }

  void require_string(key::index key) const {
    if (!is_string(key)) throw not_a("a string", key);
  }
  void require_object(key::index key) const {
    if (!is_object(key)) throw not_a("an object", key);
  }
  void require(std::string_view expected, key::index key) const {
    require_string(key);
    const unescaped_text found = short_text(key);
    if (found.view() == expected) return;
    throw error(WebhookErrc::invalid_value, "expected " + excerpt(expected) + ", found " + excerpt(found.view()),
                key);
  }

  /// If any of these is wrong, the error is that of the first in the order of the wire.
  void require_strings(const key_list& keys) const {
    key::index first_wrong = key::unknown;
    for (const key::index key : keys) {
      if (key < first_wrong && !is_string(key)) first_wrong = key;
    }
    if (first_wrong != key::unknown) throw not_a("a string", first_wrong);
  }

  [[nodiscard]] WebhookParseError error(WebhookErrc code, const std::string& message, key::index key) const {
    return {code, path_of(key), message};
  }

 private:
  [[nodiscard]] std::string path_of(key::index key) const {
    return std::string(path_).append("/").append(key::names[key]);
  }
  [[nodiscard]] WebhookParseError not_a(const char* expected, key::index key) const {
    if (types_[key] == json_type::absent) return error(WebhookErrc::missing_field, "missing", key);
    return wrong_type(path_of(key), expected, name_of(types_[key]));
  }

  struct text_view {  // not std::string_view, which would be set to zero before it is used
    const char* data;
    std::size_t size;
  };
  const char* path_;  // JSON Pointer
  std::array<json_type, key::unknown + 1> types_{};
  std::array<text_view, key::unknown + 1> texts_;
};

// A template, and not inline: it is called in so many places that it would make the code of unwrap() half as large
// again.
template <class>
std::string fields::text(key::index key) const {
  std::string result(texts_[key].data, texts_[key].size);
  if (types_[key] == json_type::escaped_string) {
    result.resize(static_cast<std::size_t>(unescape(result, result.data()) - result.data()));
  }
  return result;
}

template <class T, std::size_t... Is>
T make(const fields& in, std::index_sequence<Is...>) {
  constexpr key_list keys = keys_of<T>();
  static_assert(((keys[Is] != key::unknown) && ...), "T has a member that keys_of() lacks");
  return {in.text(keys[Is])...};
}
/// Makes the data of a known event, whose tag and strings were checked.
template <class T>
T make(const fields& in) {
  return make<T>(in, std::make_index_sequence<sizeof(T) / sizeof(std::string)>());
}

inline BetaWebhookUnknownEventData make_unknown(const fields& in, std::string json) {
  return {in.text(key::type), in.text_or_empty(key::id), in.text_or_empty(key::organization_id),
          in.text_or_empty(key::workspace_id), std::move(json)};
}

/// Makes an alternative of the variant in its place.
template <class Data, std::size_t Index>
Data make_alternative(const fields& in) {
  using T = std::variant_alternative_t<Index, Data>;
  struct maker {
    const fields& in;
    operator T() const { return make<T>(in); }
  };
  return Data(std::in_place_index<Index>, maker{in});
}

/// Of the first and the last eight characters and the length. With this factor few event types share a slot.
constexpr std::size_t hash_of_tag(std::string_view tag) {
  const std::uint64_t start = load_little_endian(tag.data());
  const std::uint64_t end = load_little_endian(tag.data() + tag.size() - 8);
  return static_cast<unsigned>((start ^ (end + tag.size())) * 0x798F8EA0E612893F >> 56);
}

/// A hash table of the indices of tags, in which free slots have their number. A tag has eight characters or more.
template <std::size_t Count>
constexpr auto slots_of(const std::array<std::string_view, Count>& tags) {
  static_assert(Count < 200, "the table is too small");
  std::array<unsigned char, 256> slots{};
  for (auto& index : slots) index = static_cast<unsigned char>(Count);
  for (std::size_t i = 0; i < Count; ++i) {
    std::size_t slot = hash_of_tag(tags[i]);
    while (slots[slot] < Count) slot = (slot + 1) % slots.size();
    slots[slot] = static_cast<unsigned char>(i);
  }
  return slots;
}

template <class Data, class Indices = std::make_index_sequence<std::variant_size_v<Data> - 1>>
struct known_types;

/// The known event types, of each alternative in its place.
template <class Data, std::size_t... Is>
struct known_types<Data, std::index_sequence<Is...>> {
  static constexpr std::array tags{std::variant_alternative_t<Is, Data>::type...};
  static constexpr std::array keys{keys_of<std::variant_alternative_t<Is, Data>>()...};
  static constexpr std::array makers{&make_alternative<Data, Is>...};
  static constexpr auto slots = slots_of(tags);

  /// The index of the type with this tag, or the number of known types.
  static constexpr std::size_t find(std::string_view tag) {
    if (tag.size() < 8) return tags.size();
    std::size_t slot = hash_of_tag(tag);
    while (slots[slot] < tags.size() && tags[slots[slot]] != tag) slot = (slot + 1) % slots.size();
    return slots[slot];
  }
};

/// Makes the alternative that the tag names. `json_text` makes BetaWebhookUnknownEventData::json.
template <class Data, class JsonText>
Data make_data(const fields& in, const JsonText& json_text) {
  in.require_string(key::type);
  const std::size_t index = known_types<Data>::find(in.short_text(key::type).view());
  if (index < known_types<Data>::tags.size()) {
    in.require_strings(known_types<Data>::keys[index]);
    return known_types<Data>::makers[index](in);
  }
  return make_unknown(in, json_text());
}

/// The envelope's tag is looked at first, so that what is no event at all is told from a faulty event.
template <class Event, class JsonText>
Event make_event(const fields& envelope, const fields& data, const JsonText& json_text) {
  envelope.require(Event::type, key::type);
  envelope.require_string(key::id);
  envelope.require_string(key::created_at);
  const auto created_at = try_parse_timestamp(envelope.short_text(key::created_at).view());
  if (!created_at) throw envelope.error(WebhookErrc::invalid_timestamp, expected_timestamp, key::created_at);
  envelope.require_object(key::data);
  return {envelope.text(key::id), *created_at, make_data<decltype(Event::data)>(data, json_text)};
}

}  // namespace anthropic::webhooks::detail
