// SPDX-License-Identifier: MIT
#pragma once

#include <anthropic/webhooks/detail/json_reader.hpp>
#include <anthropic/webhooks/detail/text.hpp>
#include <anthropic/webhooks/error.hpp>
#include <anthropic/webhooks/events.hpp>
#include <anthropic/webhooks/timestamp.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>

/// The fields of events, from whatever JSON they come: what is wrong with them, and the events that they make.
namespace anthropic::webhooks::detail {

/// Every key of an envelope and of the data of known events, in the order of the wire. To add one, write its name
/// in both lists, a trait in events.hpp, a line in keys_of(), and one in body_reader::read_data(); then look for
/// vault_id in tests/ and examples/. A type needs all its keys, and has one at most beside id, organization_id and
/// workspace_id.
enum class field : unsigned char {
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
inline constexpr std::array<std::string_view, static_cast<std::size_t>(field::unknown)> field_names{
    "id",   "created_at", "data",        "enforcement_action_id", "organization_id", "session_thread_id",
    "type", "vault_id",   "workspace_id"};

constexpr std::size_t index_of(field name) { return static_cast<std::size_t>(name); }

/// The keys of the members of a known event's data in the order of the members, and then unknown ones.
using key_list = std::array<field, 4>;

template <class T>
constexpr key_list keys_of() {
  constexpr field extra = has_enforcement_action_id<T> ? field::enforcement_action_id
                          : has_session_thread_id<T>   ? field::session_thread_id
                          : has_vault_id<T>            ? field::vault_id
                                                       : field::unknown;
  if constexpr (!has_workspace_id<T>) return {field::id, field::organization_id, extra, field::unknown};
  return {field::id, field::organization_id, field::workspace_id, extra};
}

/// The members themselves, and then null.
using member_list = std::array<std::string*, std::tuple_size_v<key_list>>;

template <class T>
member_list members_of(T& data) {
  const auto strings = strings_of(data);
  static_assert(keys_of<T>()[strings.size() - 1] != field::unknown, "T has a member that keys_of() lacks");
  member_list members{};
  std::copy(strings.begin(), strings.end(), members.begin());
  return members;
}

/// The first thing that is wrong with a body. error_of() makes words of it.
struct body_fault {
  explicit operator bool() const { return code != WebhookErrc::none; }

  WebhookErrc code = WebhookErrc::none;
  field where = field::unknown;  // the key in `object`; unknown for the object itself
  bool escaped = false;
  const char* object = "";             // JSON Pointer
  std::string_view expected, found;    // names of types; or texts, where that found may have escapes
  std::size_t position = 0, size = 0;  // where it is not JSON, and of how many bytes
};

/// A text without its escapes.
class unescaped_text {
 public:
  unescaped_text(std::string_view text, bool escaped) : text_(text) {
    if (!escaped) return;
    buffer_ = text;
    text_ = {buffer_.data(), static_cast<std::size_t>(unescape(text, buffer_.data()) - buffer_.data())};
  }

  unescaped_text(const unescaped_text&) = delete;  // the view may be into buffer_
  unescaped_text& operator=(const unescaped_text&) = delete;

  [[nodiscard]] std::string_view view() const { return text_; }

 private:
  std::string buffer_;
  std::string_view text_;
};

/// What an object of a body has for each key. The texts of strings stay where they are, with their escapes.
class fields {
 public:
  explicit fields(const char* path) : path_(path) {}

  void clear() { types_ = {}; }
  void set(field name, json_type type, std::string_view text = {}) {
    types_[index_of(name)] = type;
    texts_[index_of(name)] = {text.data(), text.size()};
  }

  [[nodiscard]] bool is_object(field name) const { return type_of(name) == json_type::object; }
  [[nodiscard]] bool is_string(field name) const { return type_of(name) >= json_type::string; }

  /// The text of a string, or "" where there is none.
  [[nodiscard]] std::string text(field name) const {
    std::string result(is_string(name) ? raw_text(name) : "");
    if (is_escaped(name)) {
      result.resize(static_cast<std::size_t>(unescape(result, result.data()) - result.data()));
    }
    return result;
  }
  /// Copies the text of each key to the member in its place.
  void copy(const key_list& keys, const member_list& members) const {
    for (std::size_t i = 0; i < members.size() && members[i] != nullptr; ++i) *members[i] = text(keys[i]);
  }
  [[nodiscard]] unescaped_text short_text(field name) const { return {raw_text(name), is_escaped(name)}; }

  // Each of these returns whether all is well, and sets `fault` where it is not.

  bool expect_string(field name, body_fault& fault) const {
    return is_string(name) || refuse_type(name, "a string", fault);
  }
  bool expect_object(field name, body_fault& fault) const {
    return is_object(name) || refuse_type(name, "an object", fault);
  }
  bool expect_tag(std::string_view tag, body_fault& fault) const {
    if (!expect_string(field::type, fault)) return false;
    if (short_text(field::type).view() == tag) return true;
    fault = fault_of(WebhookErrc::invalid_value, field::type);
    fault.expected = tag;
    fault.found = raw_text(field::type);
    fault.escaped = is_escaped(field::type);
    return false;
  }
  /// If any of these is wrong, the fault is that of the first in the order of the wire.
  bool expect_strings(const key_list& keys, body_fault& fault) const {
    field first_wrong = field::unknown;
    for (const field name : keys) {
      if (name < first_wrong && !is_string(name)) first_wrong = name;
    }
    return first_wrong == field::unknown || refuse_type(first_wrong, "a string", fault);
  }
  [[nodiscard]] body_fault fault_of(WebhookErrc code, field name) const {
    body_fault fault;
    fault.code = code;
    fault.object = path_;
    fault.where = name;
    return fault;
  }

 private:
  bool refuse_type(field name, std::string_view expected, body_fault& fault) const {
    const bool absent = type_of(name) == json_type::absent;
    fault = fault_of(absent ? WebhookErrc::missing_field : WebhookErrc::wrong_type, name);
    fault.expected = expected;
    fault.found = name_of(type_of(name));
    return false;
  }

  [[nodiscard]] json_type type_of(field name) const { return types_[index_of(name)]; }
  [[nodiscard]] std::string_view raw_text(field name) const {
    return {texts_[index_of(name)].data, texts_[index_of(name)].size};
  }
  [[nodiscard]] bool is_escaped(field name) const { return type_of(name) == json_type::escaped_string; }

  // Not std::string_view: only strings have a text, and zeroing it for every key takes a sixth of try_unwrap().
  struct unset_view {
    const char* data;
    std::size_t size;
  };

  const char* path_;  // JSON Pointer
  std::array<json_type, field_names.size() + 1> types_{};
  std::array<unset_view, field_names.size() + 1> texts_;
};

inline BetaWebhookUnknownEventData make_unknown(const fields& in, std::string json) {
  return {in.text(field::type), in.text(field::id), in.text(field::organization_id), in.text(field::workspace_id),
          std::move(json)};
}

/// Makes an event or an alternative of one in its place. Value-initializing it would zero all of it first, which
/// takes 7 % of try_unwrap().
struct default_initialized {
  template <class T>
  operator T() const {
    T result;
    return result;
  }
};

/// Makes `data` an empty alternative, and returns its members.
template <class Data, std::size_t Index>
member_list emplace_alternative(Data& data) {
  return members_of(data.template emplace<Index>(default_initialized()));
}

/// Hashes the first and the last eight characters and the length. The factor, 2^64 divided by the golden ratio,
/// spreads them over the upper bits (Fibonacci hashing: Knuth, The Art of Computer Programming, volume 3,
/// section 6.4).
constexpr std::size_t hash_of_tag(std::string_view tag) {
  const std::uint64_t start = load_little_endian(tag.data());
  const std::uint64_t end = load_little_endian(tag.data() + tag.size() - 8);
  return static_cast<unsigned>((start ^ (end + tag.size())) * 0x9E3779B97F4A7C15 >> 56);
}

/// A hash table of the indices of tags, in which free places have their number. A tag has eight characters or
/// more.
template <std::size_t Count>
constexpr std::array<unsigned char, 256> table_of(const std::array<std::string_view, Count>& tags) {
  static_assert(Count < 200, "the table is too small");
  std::array<unsigned char, 256> table{};
  for (auto& index : table) index = static_cast<unsigned char>(Count);
  for (std::size_t i = 0; i < Count; ++i) {
    std::size_t place = hash_of_tag(tags[i]);
    while (table[place] < Count) place = (place + 1) % table.size();
    table[place] = static_cast<unsigned char>(i);
  }
  return table;
}

template <class Data, class Indices = std::make_index_sequence<std::variant_size_v<Data> - 1>>
struct known_types;

/// The known event types, of each alternative in its place.
template <class Data, std::size_t... Is>
struct known_types<Data, std::index_sequence<Is...>> {
  static constexpr std::array tags{std::variant_alternative_t<Is, Data>::type...};
  static constexpr std::array keys{keys_of<std::variant_alternative_t<Is, Data>>()...};
  static constexpr std::array emplacers{&emplace_alternative<Data, Is>...};
  static constexpr auto table = table_of(tags);

  /// The index of the type with this tag, or the number of known types.
  static constexpr std::size_t find(std::string_view tag) {
    if (tag.size() < 8) return tags.size();
    std::size_t place = hash_of_tag(tag);
    while (table[place] < tags.size() && tags[table[place]] != tag) place = (place + 1) % table.size();
    return table[place];
  }
};

/// What the checks of an event or its data find out.
struct checked_fields {
  [[nodiscard]] bool is_unknown() const { return type + 1 == std::variant_size_v<BetaWebhookEventData>; }

  body_fault fault;
  Timestamp created_at{};
  std::size_t type = 0;  // the index of the alternative
};

/// Finds the first fault of an event's data.
template <class Data>
void check_data(const fields& in, checked_fields& checked) {
  if (!in.expect_string(field::type, checked.fault)) return;
  checked.type = known_types<Data>::find(in.short_text(field::type).view());
  if (!checked.is_unknown()) in.expect_strings(known_types<Data>::keys[checked.type], checked.fault);
}

/// Finds the first fault of an event. The envelope's tag comes first, so that what is not an event at all is told
/// from a faulty event.
template <class Event>
void check_event(const fields& envelope, const fields& data, checked_fields& checked) {
  body_fault& fault = checked.fault;
  if (!envelope.expect_tag(Event::type, fault) || !envelope.expect_string(field::id, fault) ||
      !envelope.expect_string(field::created_at, fault)) {
    return;
  }
  const auto time = try_parse_timestamp(envelope.short_text(field::created_at).view());
  if (!time) {
    fault = envelope.fault_of(WebhookErrc::invalid_timestamp, field::created_at);
    return;
  }
  checked.created_at = *time;
  if (envelope.expect_object(field::data, fault)) check_data<decltype(Event::data)>(data, checked);
}

/// Fills in what was checked, of an unknown type with this JSON text.
template <class Data>
void fill_data(const fields& in, const checked_fields& checked, std::string json, Data& data) {
  if (checked.is_unknown()) {
    data.template emplace<BetaWebhookUnknownEventData>(make_unknown(in, std::move(json)));
  } else {
    in.copy(known_types<Data>::keys[checked.type], known_types<Data>::emplacers[checked.type](data));
  }
}
template <class Event>
void fill_event(const fields& envelope, const fields& data, const checked_fields& checked, std::string json,
                Event& event) {
  event.id = envelope.text(field::id);
  event.created_at = checked.created_at;
  fill_data(data, checked, std::move(json), event.data);
}

/// Text from a body, made fit for a message: short, on one line, in ASCII.
inline std::string excerpt(std::string_view text) {
  constexpr std::size_t longest = 40;
  std::string result = "\"";
  for (const char c : text.substr(0, longest)) result += c >= ' ' && c <= '~' ? c : '?';
  result += text.size() > longest ? "\"..." : "\"";
  return result;
}

inline std::string message_of(const body_fault& fault) {
  if (fault.code == WebhookErrc::invalid_json) {
    if (fault.size == 0) return "not JSON: the body is empty";
    return (fault.position < fault.size ? "not JSON at byte " : "not JSON: the body ends too early, at byte ") +
           std::to_string(fault.position);
  }
  if (fault.code == WebhookErrc::missing_field) return "missing";
  if (fault.code == WebhookErrc::invalid_timestamp) return expected_timestamp;
  if (fault.code == WebhookErrc::invalid_value) {
    return "expected " + excerpt(fault.expected) + ", found " +
           excerpt(unescaped_text(fault.found, fault.escaped).view());
  }
  return std::string("expected ").append(fault.expected).append(", found ").append(fault.found);
}

/// A fault in words.
inline WebhookError error_of(const body_fault& fault) {
  std::string path = fault.object;
  if (fault.where != field::unknown) path.append("/").append(field_names[index_of(fault.where)]);
  return {fault.code, std::move(path), message_of(fault)};
}

}  // namespace anthropic::webhooks::detail
