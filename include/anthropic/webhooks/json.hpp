// SPDX-License-Identifier: MIT
#pragma once

#include <anthropic/webhooks/error.hpp>
#include <anthropic/webhooks/events.hpp>
#include <anthropic/webhooks/timestamp.hpp>

#include <nlohmann/json_fwd.hpp>

#include <cstddef>
#include <optional>
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

/// nlohmann/json for the events, with any basic_json:
/// `j.get<BetaWebhookEvent>()` reads, `json(event)` writes.
///
/// Reading ignores unknown keys. It throws WebhookParseError, never an
/// exception of nlohmann's, and then leaves the object that it reads into as it
/// was. `ordered_json` is written in the wire's own key order.
namespace nlohmann {

/// The envelope. Writing throws WebhookParseError where `created_at` is outside
/// the years 0000 to 9999.
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

/// The data of any event: reading makes the alternative that `source["type"]`
/// names.
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
/// BetaWebhookUnknownEventData takes any tag, and its member `json` becomes the
/// dump of the value. It is written from that member alone, which must be a
/// JSON object (else WebhookParseError), or from the others if it is "".
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

/// A JSON object and its JSON Pointer in the body.
template <class Json>
class object_reader {
 public:
  object_reader(const Json& source, const char* path) : json_(source), path_(path) {
    if (!source.is_object()) throw wrong_type(path, "an object", source);
  }

  [[nodiscard]] const Json& at(const char* key) const {
    const auto found = json_.find(key);
    if (found == json_.end()) throw WebhookParseError(WebhookErrc::missing_field, path(key), "missing");
    return *found;
  }

  [[nodiscard]] std::string string(const char* key) const {
    const Json& value = at(key);
    if (!value.is_string()) throw wrong_type(path(key), "a string", value);
    return to_string(value);
  }

  [[nodiscard]] std::string string_or_empty(const char* key) const {
    const auto found = json_.find(key);
    return found != json_.end() && found->is_string() ? to_string(*found) : std::string();
  }

  void expect(const char* key, std::string_view expected) const {
    if (const auto found = string(key); found != expected) {
      throw WebhookParseError(WebhookErrc::invalid_value, path(key),
                              "expected " + excerpt(expected) + ", found " + excerpt(found));
    }
  }

  [[nodiscard]] std::string path(const char* key) const { return std::string(path_) + '/' + key; }

  [[nodiscard]] std::string dump() const {
    try {
      return json_.dump();
    } catch (const typename Json::exception&) {
      throw WebhookParseError(WebhookErrc::invalid_json, path_, "a string in it is not UTF-8");
    }
  }

 private:
  static WebhookParseError wrong_type(std::string path, const char* expected, const Json& found) {
    return {WebhookErrc::wrong_type, std::move(path),
            std::string("expected ") + expected + ", found " + found.type_name()};
  }

  static std::string to_string(const Json& value) {
    const auto& string = value.template get_ref<const typename Json::string_t&>();
    return {string.data(), string.size()};
  }

  const Json& json_;
  const char* path_;
};

/// `text` is the object as it was received, where that is known.
template <class Json>
BetaWebhookUnknownEventData read_unknown(const object_reader<Json>& in, std::optional<std::string_view> text) {
  return {in.string("type"), in.string_or_empty("id"), in.string_or_empty("organization_id"),
          in.string_or_empty("workspace_id"), text ? std::string(*text) : in.dump()};
}

template <class Json>
BetaWebhookEventData read_any(const object_reader<Json>& in, std::optional<std::string_view> text) {
  BetaWebhookEventData data;
  const members members = emplace_known(data, in.string("type"));
  for (const auto& member : members) *member.value = in.string(wire_keys[member.key].data());
  if (members.size == 0) data = read_unknown(in, text);
  return data;
}

/// The envelope's tag is looked at first, so that what is no event at all is
/// told from a faulty event.
template <class Json>
BetaWebhookEvent read_event(const Json& source, std::optional<std::string_view> data_text) {
  const object_reader<Json> in{source, ""};
  in.expect("type", BetaWebhookEvent::type);
  BetaWebhookEvent event;
  event.id = in.string("id");
  const auto created_at = try_parse_timestamp(in.string("created_at"));
  if (!created_at) {
    throw WebhookParseError(WebhookErrc::invalid_timestamp, in.path("created_at"), expected_timestamp);
  }
  event.created_at = *created_at;
  event.data = read_any(object_reader<Json>{in.at("data"), "/data"}, data_text);
  return event;
}

template <class Json, class T>
void read(const Json& source, T& value) {
  if constexpr (std::is_same_v<T, BetaWebhookEvent>) {
    value = read_event(source, std::nullopt);
  } else {
    const object_reader<Json> in{source, ""};
    if constexpr (std::is_same_v<T, BetaWebhookEventData>) {
      value = read_any(in, std::nullopt);
    } else if constexpr (std::is_same_v<T, BetaWebhookUnknownEventData>) {
      value = read_unknown(in, std::nullopt);
    } else {
      in.expect("type", T::type);
      T data;
      for (const auto& field : fields<T>()) data.*field.member = in.string(wire_keys[field.key].data());
      value = std::move(data);
    }
  }
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
    for (const auto& field : fields<T>()) {
      const std::string_view key = wire_keys[field.key];
      if (key > "type") result["type"] = std::string(T::type);
      result[key.data()] = value.*field.member;
    }
  } else if (!value.json.empty()) {
    result = Json::parse(value.json, nullptr, false);
    if (!result.is_object()) {
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
