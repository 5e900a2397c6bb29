// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>

/// The webhook events of Anthropic's Managed Agents beta API as plain structs.
///
/// Every struct here is an aggregate whose members are named as the keys on the wire. It compares with `==` and
/// `!=`, and moves without throwing. Start at BetaWebhookEvent and BetaWebhookEventData, below the structs of the
/// single event types.
namespace anthropic::webhooks {

/// A session was created.
struct BetaWebhookSessionCreatedEventData {
  static constexpr std::string_view type = "session.created";
  std::string id;  ///< ID of the session that triggered the event.
  std::string organization_id;
  std::string workspace_id;
};

/// A session is waiting to run.
struct BetaWebhookSessionPendingEventData {
  static constexpr std::string_view type = "session.pending";
  std::string id;  ///< ID of the session that triggered the event.
  std::string organization_id;
  std::string workspace_id;
};

/// A session is running.
struct BetaWebhookSessionRunningEventData {
  static constexpr std::string_view type = "session.running";
  std::string id;  ///< ID of the session that triggered the event.
  std::string organization_id;
  std::string workspace_id;
};

/// A session went idle.
struct BetaWebhookSessionIdledEventData {
  static constexpr std::string_view type = "session.idled";
  std::string id;  ///< ID of the session that triggered the event.
  std::string organization_id;
  std::string workspace_id;
};

/// A session is waiting for an action of its user.
struct BetaWebhookSessionRequiresActionEventData {
  static constexpr std::string_view type = "session.requires_action";
  std::string id;  ///< ID of the session that triggered the event.
  std::string organization_id;
  std::string workspace_id;
};

/// A session was archived.
struct BetaWebhookSessionArchivedEventData {
  static constexpr std::string_view type = "session.archived";
  std::string id;  ///< ID of the session that triggered the event.
  std::string organization_id;
  std::string workspace_id;
};

/// A session was deleted.
struct BetaWebhookSessionDeletedEventData {
  static constexpr std::string_view type = "session.deleted";
  std::string id;  ///< ID of the session that triggered the event.
  std::string organization_id;
  std::string workspace_id;
};

/// A session's status became rescheduled.
struct BetaWebhookSessionStatusRescheduledEventData {
  static constexpr std::string_view type = "session.status_rescheduled";
  std::string id;  ///< ID of the session that triggered the event.
  std::string organization_id;
  std::string workspace_id;
};

/// A session's status changed because a run started.
struct BetaWebhookSessionStatusRunStartedEventData {
  static constexpr std::string_view type = "session.status_run_started";
  std::string id;  ///< ID of the session that triggered the event.
  std::string organization_id;
  std::string workspace_id;
};

/// A session's status became idle.
struct BetaWebhookSessionStatusIdledEventData {
  static constexpr std::string_view type = "session.status_idled";
  std::string id;  ///< ID of the session that triggered the event.
  std::string organization_id;
  std::string workspace_id;
};

/// A session's status became terminated.
struct BetaWebhookSessionStatusTerminatedEventData {
  static constexpr std::string_view type = "session.status_terminated";
  std::string id;  ///< ID of the session that triggered the event.
  std::string organization_id;
  std::string workspace_id;
};

/// A thread of a session was created.
struct BetaWebhookSessionThreadCreatedEventData {
  static constexpr std::string_view type = "session.thread_created";
  std::string id;  ///< ID of the session that triggered the event.
  std::string organization_id;
  std::string workspace_id;
  std::string session_thread_id;  ///< ID of the session thread this event refers to.
};

/// A thread of a session went idle.
struct BetaWebhookSessionThreadIdledEventData {
  static constexpr std::string_view type = "session.thread_idled";
  std::string id;  ///< ID of the session that triggered the event.
  std::string organization_id;
  std::string workspace_id;
  std::string session_thread_id;  ///< ID of the session thread this event refers to.
};

/// A thread of a session was terminated.
struct BetaWebhookSessionThreadTerminatedEventData {
  static constexpr std::string_view type = "session.thread_terminated";
  std::string id;  ///< ID of the session that triggered the event.
  std::string organization_id;
  std::string workspace_id;
  std::string session_thread_id;  ///< ID of the session thread this event refers to.
};

/// The evaluation of a session's outcome ended.
struct BetaWebhookSessionOutcomeEvaluationEndedEventData {
  static constexpr std::string_view type = "session.outcome_evaluation_ended";
  std::string id;  ///< ID of the session that triggered the event.
  std::string organization_id;
  std::string workspace_id;
};

/// A vault was created.
struct BetaWebhookVaultCreatedEventData {
  static constexpr std::string_view type = "vault.created";
  std::string id;  ///< ID of the vault that triggered the event.
  std::string organization_id;
  std::string workspace_id;
};

/// A vault was archived.
struct BetaWebhookVaultArchivedEventData {
  static constexpr std::string_view type = "vault.archived";
  std::string id;  ///< ID of the vault that triggered the event.
  std::string organization_id;
  std::string workspace_id;
};

/// A vault was deleted.
struct BetaWebhookVaultDeletedEventData {
  static constexpr std::string_view type = "vault.deleted";
  std::string id;  ///< ID of the vault that triggered the event.
  std::string organization_id;
  std::string workspace_id;
};

/// A credential was added to a vault.
struct BetaWebhookVaultCredentialCreatedEventData {
  static constexpr std::string_view type = "vault_credential.created";
  std::string id;  ///< ID of the vault credential that triggered the event.
  std::string organization_id;
  std::string workspace_id;
  std::string vault_id;  ///< ID of the vault that owns this credential.
};

/// A credential of a vault was archived.
struct BetaWebhookVaultCredentialArchivedEventData {
  static constexpr std::string_view type = "vault_credential.archived";
  std::string id;  ///< ID of the vault credential that triggered the event.
  std::string organization_id;
  std::string workspace_id;
  std::string vault_id;  ///< ID of the vault that owns this credential.
};

/// A credential of a vault was deleted.
struct BetaWebhookVaultCredentialDeletedEventData {
  static constexpr std::string_view type = "vault_credential.deleted";
  std::string id;  ///< ID of the vault credential that triggered the event.
  std::string organization_id;
  std::string workspace_id;
  std::string vault_id;  ///< ID of the vault that owns this credential.
};

/// A credential of a vault could not be refreshed.
struct BetaWebhookVaultCredentialRefreshFailedEventData {
  static constexpr std::string_view type = "vault_credential.refresh_failed";
  std::string id;  ///< ID of the vault credential that triggered the event.
  std::string organization_id;
  std::string workspace_id;
  std::string vault_id;  ///< ID of the vault that owns this credential.
};

/// An event of a type that this version of the library does not know, which is normal input.
struct BetaWebhookUnknownEventData {
  std::string type;  ///< The tag, such as "agent.created".
  std::string id;    ///< "" where the event has none, like the two members that follow.
  std::string organization_id;
  std::string workspace_id;
  std::string json;  ///< The whole data object as JSON text, as received.
};

/// What happened: one alternative for each event type, and BetaWebhookUnknownEventData for all others. To add an
/// event type, write its struct above and add its line here.
using BetaWebhookEventData =
    std::variant<BetaWebhookSessionCreatedEventData, BetaWebhookSessionPendingEventData,
                 BetaWebhookSessionRunningEventData, BetaWebhookSessionIdledEventData,
                 BetaWebhookSessionRequiresActionEventData, BetaWebhookSessionArchivedEventData,
                 BetaWebhookSessionDeletedEventData, BetaWebhookSessionStatusRescheduledEventData,
                 BetaWebhookSessionStatusRunStartedEventData, BetaWebhookSessionStatusIdledEventData,
                 BetaWebhookSessionStatusTerminatedEventData, BetaWebhookSessionThreadCreatedEventData,
                 BetaWebhookSessionThreadIdledEventData, BetaWebhookSessionThreadTerminatedEventData,
                 BetaWebhookSessionOutcomeEvaluationEndedEventData, BetaWebhookVaultCreatedEventData,
                 BetaWebhookVaultArchivedEventData, BetaWebhookVaultDeletedEventData,
                 BetaWebhookVaultCredentialCreatedEventData, BetaWebhookVaultCredentialArchivedEventData,
                 BetaWebhookVaultCredentialDeletedEventData, BetaWebhookVaultCredentialRefreshFailedEventData,
                 BetaWebhookUnknownEventData>;

/// A time in UTC, to the microsecond.
using Timestamp = std::chrono::time_point<std::chrono::system_clock, std::chrono::microseconds>;

/// The envelope of every event.
struct BetaWebhookEvent {
  static constexpr std::string_view type = "event";
  std::string id;          ///< Unique to the event: the same in every delivery of it.
  Timestamp created_at{};  ///< When the event happened.
  BetaWebhookEventData data;
};

/// What unwrap() returns.
using UnwrapWebhookEvent = BetaWebhookEvent;

/// The tag of the event type that `data` holds, of an unknown one too. The view is valid as long as `data` is not
/// changed.
template <class = void>
[[nodiscard]] std::string_view event_type(const BetaWebhookEventData& data);

/// A visitor made of lambdas: `std::visit(overloaded{[](const A&) {...}, [](const auto&) {...}}, data)`.
template <class... Ts>
struct overloaded : Ts... {
  using Ts::operator()...;
};
template <class... Ts>
overloaded(Ts...) -> overloaded<Ts...>;

// ---------------------------------------------------------------------------------------------------

namespace detail {

template <class T, class Variant>
struct is_alternative : std::false_type {};
template <class T, class... Ts>
struct is_alternative<T, std::variant<Ts...>> : std::disjunction<std::is_same<T, Ts>...> {};

template <class T>
inline constexpr bool is_event_data = is_alternative<T, BetaWebhookEventData>::value;
template <class T>
inline constexpr bool is_known_event_data = is_event_data<T> && !std::is_same_v<T, BetaWebhookUnknownEventData>;

template <class T, class = void>
inline constexpr bool has_session_thread_id = false;
template <class T>
inline constexpr bool has_session_thread_id<T, std::void_t<decltype(T::session_thread_id)>> = true;
template <class T, class = void>
inline constexpr bool has_vault_id = false;
template <class T>
inline constexpr bool has_vault_id<T, std::void_t<decltype(T::vault_id)>> = true;

/// Every key of an envelope and of the data of known events.
inline constexpr std::array<std::string_view, 8> wire_keys{
    "id", "type", "created_at", "data", "organization_id", "workspace_id", "session_thread_id", "vault_id"};

/// Whether `text` is `constant`: where the compiler knows its length, a few instructions compare them.
constexpr bool same(std::string_view text, std::string_view constant) {
  return text.size() == constant.size() &&
         std::string_view::traits_type::compare(text.data(), constant.data(), constant.size()) == 0;
}

/// The index of `key` in wire_keys, or their number for an unknown one.
constexpr std::size_t key_index(std::string_view key) {
  std::size_t index = 0;
  while (index < wire_keys.size() && !same(key, wire_keys[index])) ++index;
  return index;
}

/// A member of an event's data, for code that does not know its type.
template <class String>
struct data_member {
  std::size_t key;  // its index in wire_keys
  String* value;
};

template <class String>
struct member_list {
  std::array<data_member<String>, 4> members{};
  std::size_t size = 0;

  void add(std::size_t key, String& value) { members[size++] = {key, &value}; }
  [[nodiscard]] const data_member<String>* begin() const { return members.data(); }
  [[nodiscard]] const data_member<String>* end() const { return members.data() + size; }
};

/// The members of a known event's data in the wire's order, which is that of the alphabet.
template <class T, class String = std::conditional_t<std::is_const_v<T>, const std::string, std::string>>
member_list<String> members_of(T& data) {
  constexpr std::size_t count = has_session_thread_id<T> || has_vault_id<T> ? 4 : 3;
  static_assert(sizeof(T) == count * sizeof(std::string), "members_of() lacks a member of T");
  member_list<String> list;
  list.add(key_index("id"), data.id);
  list.add(key_index("organization_id"), data.organization_id);
  if constexpr (has_session_thread_id<T>) list.add(key_index("session_thread_id"), data.session_thread_id);
  if constexpr (has_vault_id<T>) list.add(key_index("vault_id"), data.vault_id);
  list.add(key_index("workspace_id"), data.workspace_id);
  return list;
}

template <class T, class Data>
bool emplace_if_tagged([[maybe_unused]] Data& data, [[maybe_unused]] std::string_view type,
                       [[maybe_unused]] member_list<std::string>& members) {
  if constexpr (is_known_event_data<T>) {
    if (!same(type, T::type)) return false;
    members = members_of(data.template emplace<T>());
    return true;
  } else {
    return false;
  }
}

/// Makes `data` an empty event of a known type, and returns its members; there are none for an unknown type.
template <class... Ts>
member_list<std::string> emplace_known(std::variant<Ts...>& data, std::string_view type) {
  member_list<std::string> members;
  (void)(emplace_if_tagged<Ts>(data, type, members) || ...);
  return members;
}

}  // namespace detail

// Templates, like most that follows, so that a file which only includes them does not pay for the whole variant.
template <class>
std::string_view event_type(const BetaWebhookEventData& data) {
  return std::visit([](const auto& alternative) -> std::string_view { return alternative.type; }, data);
}

template <class T>
std::enable_if_t<detail::is_event_data<T>, bool> operator==(const T& a, const T& b) {
  if constexpr (detail::is_known_event_data<T>) {
    const auto others = detail::members_of(b);
    auto other = others.begin();
    for (const auto& member : detail::members_of(a)) {
      if (*member.value != *(other++)->value) return false;
    }
    return true;
  } else {
    return a.type == b.type && a.id == b.id && a.organization_id == b.organization_id &&
           a.workspace_id == b.workspace_id && a.json == b.json;
  }
}

template <class T>
std::enable_if_t<std::is_same_v<T, BetaWebhookEvent>, bool> operator==(const T& a, const T& b) {
  return a.id == b.id && a.created_at == b.created_at && a.data == b.data;
}

template <class T>
std::enable_if_t<detail::is_event_data<T> || std::is_same_v<T, BetaWebhookEvent>, bool> operator!=(const T& a,
                                                                                                   const T& b) {
  return !(a == b);
}

}  // namespace anthropic::webhooks
