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
#include <tuple>
#include <utility>
#include <variant>

/// The fields of a body, whichever JSON reader found them: the checks, and the events that they make.
namespace anthropic::webhooks::detail {

// The keys of an envelope and of its data, as numbers: first the members of the structs, by their indices.
inline constexpr std::size_t id_key = index_of("id"), type_key = member_count, created_at_key = member_count + 1,
                             data_key = member_count + 2, key_count = member_count + 3;

inline constexpr std::array<std::string_view, key_count> key_names = std::apply(
    [](const auto&... each) {
      return std::array<std::string_view, key_count>{each.name..., "type", "created_at", "data"};
    },
    all_members);

/// The number of the key with this name, or key_count.
constexpr std::size_t key_of(std::string_view name) {
  std::size_t key = 0;
  while (key < key_count && key_names[key] != name) ++key;
  return key;
}

/// The keys of data in the order of the wire: the id, and then the alphabet.
static_assert(id_key == 0);
inline constexpr auto wire_order = []() {
  std::array<std::size_t, member_count + 1> keys{};
  for (std::size_t key = 1; key < keys.size(); ++key) {
    std::size_t at = 1;
    for (std::size_t other = 1; other < keys.size(); ++other) at += key_names[other] < key_names[key];
    keys[at] = key;
  }
  return keys;
}();

/// What an object has for each key.
class fields {
 public:
  /// The key may be key_count, for one that is of no interest.
  void set(std::size_t key, json_type type, std::string_view text = {}) {
    types_[key] = type;
    texts_[key] = {text.data(), text.size()};
  }

  [[nodiscard]] json_type type(std::size_t key) const { return types_[key]; }
  /// The text of a string, without its escapes; "" for anything else.
  [[nodiscard]] std::string_view text(std::size_t key) const {
    if (types_[key] != json_type::string) return {};
    return {texts_[key].data, texts_[key].size};
  }

 private:
  // A std::string_view would be set to zero for every key, which takes 3 % of a delivery.
  struct uninitialized_view {
    const char* data;
    std::size_t size;
  };

  std::array<json_type, key_count + 1> types_{};
  std::array<uninitialized_view, key_count + 1> texts_;
};

/// Why a body is not an event. error_of() puts it into words.
struct body_fault {
  explicit operator bool() const { return code != WebhookErrc::none; }

  WebhookErrc code = WebhookErrc::none;
  std::string_view object = {};                // JSON Pointer
  std::size_t key = key_count;                 // in the object, or key_count for the object itself
  std::string_view expected = {}, found = {};  // names of types, or texts
  std::size_t position = 0, size = 0;          // where it is not JSON, and of how many bytes
};

/// Refuses a field of another type.
inline body_fault check_type(json_type expected, const fields& in, std::string_view object, std::size_t key) {
  const json_type found = in.type(key);
  if (found == expected) return {};
  const auto code = found == json_type::absent ? WebhookErrc::missing_field : WebhookErrc::wrong_type;
  return {code, object, key, expected == json_type::object ? "an object" : "a string", name_of(found)};
}

inline body_fault check_tag(std::string_view expected, const fields& in) {
  if (const auto fault = check_type(json_type::string, in, "", type_key)) return fault;
  if (in.text(type_key) == expected) return {};
  return {WebhookErrc::invalid_value, "", type_key, expected, in.text(type_key)};
}

/// The first member of T that is neither a string nor empty, or key_count.
template <class T>
std::size_t find_wrong_member(const fields& in) {
  for (const auto key : indices_of<T>()) {
    const json_type type = in.type(key);
    if (type != json_type::string && type != json_type::null && type != json_type::absent) return key;
  }
  return key_count;
}

/// Makes the struct of an event type of fields that were checked.
struct data_maker {
  template <class T>
  operator T() const {
    return std::apply([this](auto... keys) { return T{std::string(in.text(keys))...}; }, indices_of<T>());
  }

  const fields& in;
};

template <class Data>
struct known_type {
  std::string_view tag;
  std::size_t (*find_wrong_member)(const fields& in);
  void (*emplace)(Data& data, const fields& in);
};

template <class Data, std::size_t... Is>
constexpr auto make_known_types(std::index_sequence<Is...> /*alternatives*/) {
  return std::array{known_type<Data>{
      std::variant_alternative_t<Is, Data>::type, &find_wrong_member<std::variant_alternative_t<Is, Data>>,
      [](Data& data, const fields& in) { data.template emplace<Is>(data_maker{in}); }}...};
}

/// The event type with this tag, or null.
template <class Data>
const known_type<Data>* find_type(std::string_view tag) {
  static constexpr auto types = make_known_types<Data>(std::make_index_sequence<std::variant_size_v<Data> - 1>());
  for (const auto& type : types) {
    if (type.tag == tag) return &type;
  }
  return nullptr;
}

/// An event that was checked; of an unknown type if `type` is null.
template <class Data>
struct checked_data {
  body_fault fault = {};
  const known_type<Data>* type = nullptr;
  Timestamp created_at = {};
};

/// Checks the data of any event. If a member is of an unexpected type, the event is of an unknown one.
template <class Data>
checked_data<Data> check_data(const fields& in, std::string_view object) {
  checked_data<Data> checked{check_type(json_type::string, in, object, type_key)};
  if (!checked.fault) checked.type = find_type<Data>(in.text(type_key));
  if (checked.type && checked.type->find_wrong_member(in) != key_count) checked.type = nullptr;
  return checked;
}

/// Checks the tag of the envelope first, to tell what is not an event at all from a malformed one.
template <class Data>
checked_data<Data> check_event(const fields& envelope, const fields& data) {
  if (const auto fault = check_tag(BetaWebhookEvent::type, envelope)) return {fault};
  if (const auto fault = check_type(json_type::string, envelope, "", id_key)) return {fault};
  if (const auto fault = check_type(json_type::string, envelope, "", created_at_key)) return {fault};
  const auto created_at = try_parse_timestamp(envelope.text(created_at_key));
  if (!created_at) return {{WebhookErrc::invalid_timestamp, "", created_at_key}};
  if (const auto fault = check_type(json_type::object, envelope, "", data_key)) return {fault};
  auto checked = check_data<Data>(data, "/data");
  checked.created_at = *created_at;
  return checked;
}

inline BetaWebhookUnknownEventData make_unknown(const fields& in, std::string json) {
  const auto text = [&in](std::string_view key) { return std::string(in.text(key_of(key))); };
  return {text("type"), text("id"), text("organization_id"), text("workspace_id"), std::move(json)};
}

/// Makes an event's data of what was checked. `json` is the text of the data of an unknown type.
template <class Data>
void fill_data(Data& data, const fields& in, const checked_data<Data>& checked, std::string json) {
  if (checked.type) {
    checked.type->emplace(data, in);
  } else {
    data.template emplace<BetaWebhookUnknownEventData>(make_unknown(in, std::move(json)));
  }
}

/// Text from a body, made fit for a message: short, on one line, in ASCII.
inline std::string excerpt(std::string_view text) {
  constexpr std::size_t max_size = 40;
  std::string result = "\"";
  for (const char c : text.substr(0, max_size)) result += c >= ' ' && c <= '~' ? c : '?';
  result += text.size() > max_size ? "\"..." : "\"";
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
    return "expected " + excerpt(fault.expected) + ", found " + excerpt(fault.found);
  }
  return std::string("expected ").append(fault.expected).append(", found ").append(fault.found);
}

/// A fault in words.
inline WebhookError error_of(const body_fault& fault) {
  std::string path(fault.object);
  if (fault.key != key_count) path.append("/").append(key_names[fault.key]);
  return {fault.code, std::move(path), message_of(fault)};
}

}  // namespace anthropic::webhooks::detail
