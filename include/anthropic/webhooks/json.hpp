// SPDX-License-Identifier: MIT
#pragma once

#include <anthropic/webhooks/error.hpp>
#include <anthropic/webhooks/events.hpp>
#include <anthropic/webhooks/timestamp.hpp>

#include <nlohmann/json_fwd.hpp>

#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>

namespace anthropic::webhooks::detail {
template <class Json, class T>
void read(const Json& source, T& value);
template <class Json, class T>
Json written(const T& value);
}  // namespace anthropic::webhooks::detail

/// nlohmann/json for the events, with any basic_json: `j.get<BetaWebhookEvent>()` reads, `json(event)` writes.
///
/// Reading ignores unknown keys. It throws WebhookParseError, never an exception of nlohmann's, and then leaves
/// the object that it reads into as it was. `ordered_json` is written in the wire's own key order.
namespace nlohmann {

/// The envelope. Writing throws WebhookParseError where `created_at` is outside the years 0000 to 9999.
template <>
struct adl_serializer<anthropic::webhooks::BetaWebhookEvent> {
  template <class Json>
  static void from_json(const Json& source, anthropic::webhooks::BetaWebhookEvent& event) {
    anthropic::webhooks::detail::read(source, event);
  }
  template <class Json>
  static void to_json(Json& target, const anthropic::webhooks::BetaWebhookEvent& event) {
    target = anthropic::webhooks::detail::written<Json>(event);
  }
};

/// The data of any event: reading makes the alternative that `source["type"]` names.
template <>
struct adl_serializer<anthropic::webhooks::BetaWebhookEventData> {
  template <class Json>
  static void from_json(const Json& source, anthropic::webhooks::BetaWebhookEventData& data) {
    anthropic::webhooks::detail::read(source, data);
  }
  template <class Json>
  static void to_json(Json& target, const anthropic::webhooks::BetaWebhookEventData& data) {
    target = anthropic::webhooks::detail::written<Json>(data);
  }
};

/// The data of one event type: reading checks the tag.
///
/// BetaWebhookUnknownEventData takes any tag, and its member `json` becomes the dump of the value, for which
/// nlohmann recurses as deep as the value nests: give what was received to unwrap(), which does not. It is written
/// from that member alone, which must be a JSON object (else WebhookParseError), or from the others if it is "".
template <class T>
struct adl_serializer<T, std::enable_if_t<anthropic::webhooks::detail::is_event_data<T>>> {
  template <class Json>
  static void from_json(const Json& source, T& data) {
    anthropic::webhooks::detail::read(source, data);
  }
  template <class Json>
  static void to_json(Json& target, const T& data) {
    target = anthropic::webhooks::detail::written<Json>(data);
  }
};

}  // namespace nlohmann

// ---------------------------------------------------------------------------------------------------

namespace anthropic::webhooks::detail {

/// Text from a body, made fit for a message: short, on one line, in ASCII.
inline std::string excerpt(std::string_view text) {
  constexpr std::size_t longest = 40;
  std::string result = "\"";
  for (const char c : text.substr(0, longest)) result += c >= ' ' && c <= '~' ? c : '?';
  return result += text.size() > longest ? "\"..." : "\"";
}

inline constexpr char object_type[] = "object";

inline WebhookParseError wrong_type(std::string path, const char* expected, const char* found) {
  return {WebhookErrc::wrong_type, std::move(path), std::string("expected ") + expected + ", found " + found};
}

/// What an object of a body has for one of wire_keys: a string, unless its data() is null; then a value of another
/// type, which is object_type itself for an object; or nothing, where that is null too.
struct member_value {
  std::string_view string;
  const char* other_type = nullptr;
};

/// The part of a JSON object that events are made of, however it was parsed.
struct object_outline {
  const char* path;  // JSON Pointer
  std::array<member_value, wire_keys.size()> values{};

  [[nodiscard]] std::string_view string(std::size_t key) const {
    if (values[key].string.data() == nullptr) throw not_a(key, "a string");
    return values[key].string;
  }

  [[nodiscard]] std::string string_or_empty(std::size_t key) const { return std::string(values[key].string); }

  void expect_object(std::size_t key) const {
    if (values[key].other_type != object_type) throw not_a(key, "an object");
  }

  void expect(std::size_t key, std::string_view expected) const {
    if (const auto found = string(key); found != expected) {
      throw error(WebhookErrc::invalid_value, key, "expected " + excerpt(expected) + ", found " + excerpt(found));
    }
  }

  [[nodiscard]] WebhookParseError error(WebhookErrc code, std::size_t key, const std::string& message) const {
    return {code, path_of(key), message};
  }

 private:
  [[nodiscard]] std::string path_of(std::size_t key) const {
    return std::string(path).append("/").append(wire_keys[key]);
  }

  [[nodiscard]] WebhookParseError not_a(std::size_t key, const char* expected) const {
    const char* const found = values[key].string.data() == nullptr ? values[key].other_type : "string";
    if (found == nullptr) return error(WebhookErrc::missing_field, key, "missing");
    return wrong_type(path_of(key), expected, found);
  }
};

inline constexpr std::size_t id_key = key_index("id");
inline constexpr std::size_t type_key = key_index("type");
inline constexpr std::size_t created_at_key = key_index("created_at");
inline constexpr std::size_t data_key = key_index("data");

/// `json_text` makes BetaWebhookUnknownEventData::json.
template <class JsonText>
void read_unknown(BetaWebhookUnknownEventData& data, const object_outline& in, const JsonText& json_text) {
  data.type = in.string(type_key);
  data.id = in.string_or_empty(id_key);
  data.organization_id = in.string_or_empty(key_index("organization_id"));
  data.workspace_id = in.string_or_empty(key_index("workspace_id"));
  data.json = json_text();
}

template <class Data, class JsonText>
void read_data(Data& data, const object_outline& in, const JsonText& json_text) {
  const auto members = emplace_known(data, in.string(type_key));
  for (const auto& member : members) *member.value = std::string(in.string(member.key));
  if (members.size == 0) read_unknown(data.template emplace<BetaWebhookUnknownEventData>(), in, json_text);
}

/// The envelope's tag is looked at first, so that what is no event at all is told from a faulty event.
template <class Event, class JsonText>
void read_event(Event& event, const object_outline& envelope, const object_outline& data,
                const JsonText& json_text) {
  envelope.expect(type_key, Event::type);
  event.id = std::string(envelope.string(id_key));
  const auto created_at = try_parse_timestamp(envelope.string(created_at_key));
  if (!created_at) throw envelope.error(WebhookErrc::invalid_timestamp, created_at_key, expected_timestamp);
  event.created_at = *created_at;
  envelope.expect_object(data_key);
  read_data(event.data, data, json_text);
}

template <class Json>
object_outline outline_of(const Json& source, const char* path) {
  if (!source.is_object()) throw wrong_type(path, "an object", source.type_name());
  object_outline outline{path};
  for (std::size_t key = 0; key < wire_keys.size(); ++key) {
    const auto found = source.find(wire_keys[key].data());
    if (found == source.end()) continue;
    if (const auto* string = found->template get_ptr<const typename Json::string_t*>()) {
      outline.values[key].string = {string->data(), string->size()};
    } else {
      outline.values[key].other_type = found->is_object() ? object_type : found->type_name();
    }
  }
  return outline;
}

template <class Json>
std::string dump(const Json& source, const char* path) {
  try {
    const auto text = source.dump();
    return {text.data(), text.size()};
  } catch (const typename Json::exception&) {
    throw WebhookParseError(WebhookErrc::invalid_json, path, "a string in it is not UTF-8");
  }
}

template <class Json, class T>
void read(const Json& source, T& value) {
  const auto in = outline_of(source, "");
  const auto json_text = [&source] { return dump(source, ""); };
  T result;
  if constexpr (std::is_same_v<T, BetaWebhookEvent>) {
    const bool has_data = in.values[data_key].other_type == object_type;
    read_event(result, in, has_data ? outline_of(source["data"], "/data") : object_outline{"/data"},
               [&source] { return dump(source["data"], "/data"); });
  } else if constexpr (std::is_same_v<T, BetaWebhookEventData>) {
    read_data(result, in, json_text);
  } else if constexpr (std::is_same_v<T, BetaWebhookUnknownEventData>) {
    read_unknown(result, in, json_text);
  } else {
    in.expect(type_key, T::type);
    for (const auto& member : members_of(result)) *member.value = std::string(in.string(member.key));
  }
  value = std::move(result);
}

template <class Json, class T>
Json written(const T& value) {
  Json result = Json::object();
  if constexpr (std::is_same_v<T, BetaWebhookEvent>) {
    if (!is_rfc3339(value.created_at)) {
      throw WebhookParseError(WebhookErrc::invalid_timestamp, "/created_at", unformattable_timestamp);
    }
    result["id"] = value.id;
    result["created_at"] = format_timestamp(value.created_at);
    result["data"] = written<Json>(value.data);
    result["type"] = std::string(T::type);
  } else if constexpr (std::is_same_v<T, BetaWebhookEventData>) {
    result = std::visit([](const auto& data) { return written<Json>(data); }, value);
  } else if constexpr (is_known_event_data<T>) {
    for (const auto& member : members_of(value)) {
      const std::string_view key = wire_keys[member.key];
      if (key > "type") result["type"] = std::string(T::type);
      result[key.data()] = *member.value;
    }
  } else if (!value.json.empty()) {
    result = Json::parse(value.json, nullptr, false);
    if (!result.is_object() || value.json.find('\0') != std::string::npos) {  // which nlohmann takes for the end
      throw WebhookParseError(WebhookErrc::invalid_json, "",
                              "BetaWebhookUnknownEventData::json is not a JSON object");
    }
  } else {
    if (!value.id.empty()) result["id"] = value.id;
    if (!value.organization_id.empty()) result["organization_id"] = value.organization_id;
    result["type"] = value.type;
    if (!value.workspace_id.empty()) result["workspace_id"] = value.workspace_id;
  }
  return result;
}

}  // namespace anthropic::webhooks::detail
