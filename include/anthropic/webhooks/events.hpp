// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>

/// The webhook events of Anthropic's Managed Agents beta API as plain structs.
///
/// Every struct here is an aggregate whose members are named as the keys on the wire. It compares with `==` and
/// `!=`, and moves without throwing. Start at BetaWebhookEvent and BetaWebhookEventData, below the structs of the
/// single event types.
///
/// The comment on a struct says when its event is sent. It goes only to endpoints that are subscribed to it at
/// that time. An endpoint of a workspace can subscribe to all types but those whose comment says otherwise.
namespace anthropic::webhooks {

// Sessions.

/// A session was created. The SDKs list it, but no endpoint can subscribe to it.
struct BetaWebhookSessionCreatedEventData {
  static constexpr std::string_view type = "session.created";
  std::string id;  ///< ID of the session.
  std::string organization_id;
  std::string workspace_id;
};

/// A session is waiting to run. The SDKs list it, but no endpoint can subscribe to it.
struct BetaWebhookSessionPendingEventData {
  static constexpr std::string_view type = "session.pending";
  std::string id;  ///< ID of the session.
  std::string organization_id;
  std::string workspace_id;
};

/// A session is running. The SDKs list it, but no endpoint can subscribe to it.
struct BetaWebhookSessionRunningEventData {
  static constexpr std::string_view type = "session.running";
  std::string id;  ///< ID of the session.
  std::string organization_id;
  std::string workspace_id;
};

/// A session went idle. The SDKs list it, but no endpoint can subscribe to it.
struct BetaWebhookSessionIdledEventData {
  static constexpr std::string_view type = "session.idled";
  std::string id;  ///< ID of the session.
  std::string organization_id;
  std::string workspace_id;
};

/// A session is waiting for its user to act. The SDKs list it, but no endpoint can subscribe to it.
struct BetaWebhookSessionRequiresActionEventData {
  static constexpr std::string_view type = "session.requires_action";
  std::string id;  ///< ID of the session.
  std::string organization_id;
  std::string workspace_id;
};

/// A session was archived. The SDKs list it, but no endpoint can subscribe to it.
struct BetaWebhookSessionArchivedEventData {
  static constexpr std::string_view type = "session.archived";
  std::string id;  ///< ID of the session.
  std::string organization_id;
  std::string workspace_id;
};

/// A session was permanently deleted. There is nothing left to fetch.
struct BetaWebhookSessionDeletedEventData {
  static constexpr std::string_view type = "session.deleted";
  std::string id;  ///< ID of the session.
  std::string organization_id;
  std::string workspace_id;
};

/// A transient error interrupted a session, and the service is retrying it.
struct BetaWebhookSessionStatusRescheduledEventData {
  static constexpr std::string_view type = "session.status_rescheduled";
  std::string id;  ///< ID of the session.
  std::string organization_id;
  std::string workspace_id;
};

/// The agent started to work. This is sent each time the session starts to run. On a session's event stream it is
/// session.status_running.
struct BetaWebhookSessionStatusRunStartedEventData {
  static constexpr std::string_view type = "session.status_run_started";
  std::string id;  ///< ID of the session.
  std::string organization_id;
  std::string workspace_id;
};

/// The agent is waiting for input, such as a user message or a tool approval. On a session's event stream it is
/// session.status_idle.
struct BetaWebhookSessionStatusIdledEventData {
  static constexpr std::string_view type = "session.status_idled";
  std::string id;  ///< ID of the session.
  std::string organization_id;
  std::string workspace_id;
};

/// A session ended: it was archived, or hit an error that it cannot recover from.
struct BetaWebhookSessionStatusTerminatedEventData {
  static constexpr std::string_view type = "session.status_terminated";
  std::string id;  ///< ID of the session.
  std::string organization_id;
  std::string workspace_id;
};

/// One iteration of the evaluation of a session's outcome is complete.
struct BetaWebhookSessionOutcomeEvaluationEndedEventData {
  static constexpr std::string_view type = "session.outcome_evaluation_ended";
  std::string id;  ///< ID of the session.
  std::string organization_id;
  std::string workspace_id;
};

/// Properties of a session changed, such as its name or configuration.
struct BetaWebhookSessionUpdatedEventData {
  static constexpr std::string_view type = "session.updated";
  std::string id;  ///< ID of the session.
  std::string organization_id;
  std::string workspace_id;
};

/// A session used up its budget and paused. This is sent once for each value that the budget is set to.
struct BetaWebhookSessionBudgetReachedEventData {
  static constexpr std::string_view type = "session.budget_reached";
  std::string id;  ///< ID of the session.
  std::string organization_id;
  std::string workspace_id;
};

// Session threads.

/// Another agent of a session, or its advisor, started to work in a thread of its own.
struct BetaWebhookSessionThreadCreatedEventData {
  static constexpr std::string_view type = "session.thread_created";
  std::string id;  ///< ID of the session.
  std::string organization_id;
  std::string workspace_id;
  std::string session_thread_id;  ///< ID of the session thread.
};

/// The agent of a thread is waiting for input.
struct BetaWebhookSessionThreadIdledEventData {
  static constexpr std::string_view type = "session.thread_idled";
  std::string id;  ///< ID of the session.
  std::string organization_id;
  std::string workspace_id;
  std::string session_thread_id;  ///< ID of the session thread.
};

/// A thread other than the main one ended: it was archived, or ran out of retries.
struct BetaWebhookSessionThreadTerminatedEventData {
  static constexpr std::string_view type = "session.thread_terminated";
  std::string id;  ///< ID of the session.
  std::string organization_id;
  std::string workspace_id;
  std::string session_thread_id;  ///< ID of the session thread.
};

// Vaults.

/// A vault was created.
struct BetaWebhookVaultCreatedEventData {
  static constexpr std::string_view type = "vault.created";
  std::string id;  ///< ID of the vault.
  std::string organization_id;
  std::string workspace_id;
};

/// A vault was archived.
struct BetaWebhookVaultArchivedEventData {
  static constexpr std::string_view type = "vault.archived";
  std::string id;  ///< ID of the vault.
  std::string organization_id;
  std::string workspace_id;
};

/// A vault was permanently deleted. There is nothing left to fetch. Each of its credentials gets an event too.
struct BetaWebhookVaultDeletedEventData {
  static constexpr std::string_view type = "vault.deleted";
  std::string id;  ///< ID of the vault.
  std::string organization_id;
  std::string workspace_id;
};

// Vault credentials.

/// A credential was added to a vault.
struct BetaWebhookVaultCredentialCreatedEventData {
  static constexpr std::string_view type = "vault_credential.created";
  std::string id;  ///< ID of the vault credential.
  std::string organization_id;
  std::string workspace_id;
  std::string vault_id;  ///< ID of the vault that holds the credential.
};

/// A credential was archived, alone or with its vault.
struct BetaWebhookVaultCredentialArchivedEventData {
  static constexpr std::string_view type = "vault_credential.archived";
  std::string id;  ///< ID of the vault credential.
  std::string organization_id;
  std::string workspace_id;
  std::string vault_id;  ///< ID of the vault that holds the credential.
};

/// A credential was permanently deleted, alone or with its vault. There is nothing left to fetch.
struct BetaWebhookVaultCredentialDeletedEventData {
  static constexpr std::string_view type = "vault_credential.deleted";
  std::string id;  ///< ID of the vault credential.
  std::string organization_id;
  std::string workspace_id;
  std::string vault_id;  ///< ID of the vault that holds the credential.
};

/// The OAuth token of a credential could not be refreshed.
struct BetaWebhookVaultCredentialRefreshFailedEventData {
  static constexpr std::string_view type = "vault_credential.refresh_failed";
  std::string id;  ///< ID of the vault credential.
  std::string organization_id;
  std::string workspace_id;
  std::string vault_id;  ///< ID of the vault that holds the credential.
};

// Agents.

/// An agent was created.
struct BetaWebhookAgentCreatedEventData {
  static constexpr std::string_view type = "agent.created";
  std::string id;  ///< ID of the agent.
  std::string organization_id;
  std::string workspace_id;
};

/// An agent was archived.
struct BetaWebhookAgentArchivedEventData {
  static constexpr std::string_view type = "agent.archived";
  std::string id;  ///< ID of the agent.
  std::string organization_id;
  std::string workspace_id;
};

/// An agent was permanently deleted. There is nothing left to fetch.
struct BetaWebhookAgentDeletedEventData {
  static constexpr std::string_view type = "agent.deleted";
  std::string id;  ///< ID of the agent.
  std::string organization_id;
  std::string workspace_id;
};

/// A new version of an agent was published.
struct BetaWebhookAgentUpdatedEventData {
  static constexpr std::string_view type = "agent.updated";
  std::string id;  ///< ID of the agent.
  std::string organization_id;
  std::string workspace_id;
};

// Deployments.

/// A deployment was paused: on request, or because a scheduled run failed in a way that no retry can fix.
struct BetaWebhookDeploymentPausedEventData {
  static constexpr std::string_view type = "deployment.paused";
  std::string id;  ///< ID of the deployment.
  std::string organization_id;
  std::string workspace_id;
};

/// A scheduled deployment was created.
struct BetaWebhookDeploymentCreatedEventData {
  static constexpr std::string_view type = "deployment.created";
  std::string id;  ///< ID of the deployment.
  std::string organization_id;
  std::string workspace_id;
};

/// Properties of a deployment changed, such as its schedule.
struct BetaWebhookDeploymentUpdatedEventData {
  static constexpr std::string_view type = "deployment.updated";
  std::string id;  ///< ID of the deployment.
  std::string organization_id;
  std::string workspace_id;
};

/// A paused deployment runs on its schedule again.
struct BetaWebhookDeploymentUnpausedEventData {
  static constexpr std::string_view type = "deployment.unpaused";
  std::string id;  ///< ID of the deployment.
  std::string organization_id;
  std::string workspace_id;
};

/// A deployment was archived, alone or with its agent.
struct BetaWebhookDeploymentArchivedEventData {
  static constexpr std::string_view type = "deployment.archived";
  std::string id;  ///< ID of the deployment.
  std::string organization_id;
  std::string workspace_id;
};

/// A deployment was permanently deleted. There is nothing left to fetch.
struct BetaWebhookDeploymentDeletedEventData {
  static constexpr std::string_view type = "deployment.deleted";
  std::string id;  ///< ID of the deployment.
  std::string organization_id;
  std::string workspace_id;
};

// Deployment runs.

/// A scheduled run could not create its session.
struct BetaWebhookDeploymentRunFailedEventData {
  static constexpr std::string_view type = "deployment_run.failed";
  std::string id;  ///< ID of the deployment run.
  std::string organization_id;
  std::string workspace_id;
};

/// A scheduled run started. Runs that are started by hand send no events.
struct BetaWebhookDeploymentRunStartedEventData {
  static constexpr std::string_view type = "deployment_run.started";
  std::string id;  ///< ID of the deployment run.
  std::string organization_id;
  std::string workspace_id;
};

/// A scheduled run created its session.
struct BetaWebhookDeploymentRunSucceededEventData {
  static constexpr std::string_view type = "deployment_run.succeeded";
  std::string id;  ///< ID of the deployment run.
  std::string organization_id;
  std::string workspace_id;
};

// Environments.

/// An environment was created.
struct BetaWebhookEnvironmentCreatedEventData {
  static constexpr std::string_view type = "environment.created";
  std::string id;  ///< ID of the environment.
  std::string organization_id;
  std::string workspace_id;
};

/// At least one property of an environment changed.
struct BetaWebhookEnvironmentUpdatedEventData {
  static constexpr std::string_view type = "environment.updated";
  std::string id;  ///< ID of the environment.
  std::string organization_id;
  std::string workspace_id;
};

/// An environment was archived.
struct BetaWebhookEnvironmentArchivedEventData {
  static constexpr std::string_view type = "environment.archived";
  std::string id;  ///< ID of the environment.
  std::string organization_id;
  std::string workspace_id;
};

/// An environment was permanently deleted. There is nothing left to fetch.
struct BetaWebhookEnvironmentDeletedEventData {
  static constexpr std::string_view type = "environment.deleted";
  std::string id;  ///< ID of the environment.
  std::string organization_id;
  std::string workspace_id;
};

// Memory stores.

/// A memory store was created.
struct BetaWebhookMemoryStoreCreatedEventData {
  static constexpr std::string_view type = "memory_store.created";
  std::string id;  ///< ID of the memory store.
  std::string organization_id;
  std::string workspace_id;
};

/// A memory store was archived.
struct BetaWebhookMemoryStoreArchivedEventData {
  static constexpr std::string_view type = "memory_store.archived";
  std::string id;  ///< ID of the memory store.
  std::string organization_id;
  std::string workspace_id;
};

/// A memory store was permanently deleted. There is nothing left to fetch. Its memories get no events.
struct BetaWebhookMemoryStoreDeletedEventData {
  static constexpr std::string_view type = "memory_store.deleted";
  std::string id;  ///< ID of the memory store.
  std::string organization_id;
  std::string workspace_id;
};

// User profiles. In October 2026 the service did not send the events of organizations yet: those of user profiles,
// external keys and external storages.

/// An enforcement action against a user profile was opened. Only an organization's endpoint can subscribe to it.
struct BetaWebhookUserProfileEnforcementActionOpenedEventData {
  static constexpr std::string_view type = "user_profile.enforcement_action_opened";
  std::string id;  ///< ID of the user profile.
  std::string organization_id;
  std::string enforcement_action_id;  ///< ID of the enforcement action.
};

/// An enforcement action against a user profile was resolved. Only an organization's endpoint can subscribe to it.
struct BetaWebhookUserProfileEnforcementActionResolvedEventData {
  static constexpr std::string_view type = "user_profile.enforcement_action_resolved";
  std::string id;  ///< ID of the user profile.
  std::string organization_id;
  std::string enforcement_action_id;  ///< ID of the enforcement action.
};

/// The program status of a user profile changed. Only an organization's endpoint can subscribe to it.
struct BetaWebhookUserProfileProgramStatusUpdatedEventData {
  static constexpr std::string_view type = "user_profile.program_status_updated";
  std::string id;  ///< ID of the user profile.
  std::string organization_id;
};

// External keys.

/// An external key stopped working. Only an organization's endpoint can subscribe to it.
struct BetaWebhookExternalKeyFailedEventData {
  static constexpr std::string_view type = "external_key.failed";
  std::string id;  ///< ID of the external key.
  std::string organization_id;
};

/// An external key works again. Only an organization's endpoint can subscribe to it.
struct BetaWebhookExternalKeyRecoveredEventData {
  static constexpr std::string_view type = "external_key.recovered";
  std::string id;  ///< ID of the external key.
  std::string organization_id;
};

// External storages.

/// The bucket of an external storage failed the service's check. Only an organization's endpoint can subscribe to
/// it.
struct BetaWebhookExternalStorageFailedEventData {
  static constexpr std::string_view type = "external_storage.failed";
  std::string id;  ///< ID of the external storage.
  std::string organization_id;
};

/// The bucket of an external storage passes the service's check again. Only an organization's endpoint can
/// subscribe to it.
struct BetaWebhookExternalStorageRecoveredEventData {
  static constexpr std::string_view type = "external_storage.recovered";
  std::string id;  ///< ID of the external storage.
  std::string organization_id;
};

/// An event of a type that this version of the library does not know, which is normal input: the service keeps
/// adding types.
struct BetaWebhookUnknownEventData {
  std::string type;  ///< The tag, such as "workflow.published".
  std::string id;    ///< "" where the event has none, like the two members that follow.
  std::string organization_id;
  std::string workspace_id;
  std::string json;  ///< The whole data object as JSON text, as received.
};

/// What happened: one alternative for each event type, and BetaWebhookUnknownEventData for all others. To add an
/// event type, see .github/CONTRIBUTING.md.
using BetaWebhookEventData = std::variant<
    BetaWebhookSessionCreatedEventData, BetaWebhookSessionPendingEventData, BetaWebhookSessionRunningEventData,
    BetaWebhookSessionIdledEventData, BetaWebhookSessionRequiresActionEventData,
    BetaWebhookSessionArchivedEventData, BetaWebhookSessionDeletedEventData,
    BetaWebhookSessionStatusRescheduledEventData, BetaWebhookSessionStatusRunStartedEventData,
    BetaWebhookSessionStatusIdledEventData, BetaWebhookSessionStatusTerminatedEventData,
    BetaWebhookSessionThreadCreatedEventData, BetaWebhookSessionThreadIdledEventData,
    BetaWebhookSessionThreadTerminatedEventData, BetaWebhookSessionOutcomeEvaluationEndedEventData,
    BetaWebhookVaultCreatedEventData, BetaWebhookVaultArchivedEventData, BetaWebhookVaultDeletedEventData,
    BetaWebhookVaultCredentialCreatedEventData, BetaWebhookVaultCredentialArchivedEventData,
    BetaWebhookVaultCredentialDeletedEventData, BetaWebhookVaultCredentialRefreshFailedEventData,
    BetaWebhookSessionUpdatedEventData, BetaWebhookAgentCreatedEventData, BetaWebhookAgentArchivedEventData,
    BetaWebhookAgentDeletedEventData, BetaWebhookDeploymentPausedEventData,
    BetaWebhookDeploymentRunFailedEventData, BetaWebhookDeploymentCreatedEventData,
    BetaWebhookDeploymentUpdatedEventData, BetaWebhookDeploymentUnpausedEventData,
    BetaWebhookAgentUpdatedEventData, BetaWebhookDeploymentArchivedEventData,
    BetaWebhookDeploymentRunStartedEventData, BetaWebhookDeploymentDeletedEventData,
    BetaWebhookDeploymentRunSucceededEventData, BetaWebhookEnvironmentCreatedEventData,
    BetaWebhookEnvironmentUpdatedEventData, BetaWebhookEnvironmentArchivedEventData,
    BetaWebhookEnvironmentDeletedEventData, BetaWebhookMemoryStoreCreatedEventData,
    BetaWebhookMemoryStoreArchivedEventData, BetaWebhookMemoryStoreDeletedEventData,
    BetaWebhookSessionBudgetReachedEventData, BetaWebhookUserProfileEnforcementActionOpenedEventData,
    BetaWebhookUserProfileEnforcementActionResolvedEventData, BetaWebhookUserProfileProgramStatusUpdatedEventData,
    BetaWebhookExternalKeyFailedEventData, BetaWebhookExternalKeyRecoveredEventData,
    BetaWebhookExternalStorageFailedEventData, BetaWebhookExternalStorageRecoveredEventData,
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

namespace detail {
template <class T>
struct is_data;
}  // namespace detail

/// The event type of `data`, such as "session.deleted", also of an unknown one. It takes a BetaWebhookEventData or
/// one of the structs. The view is valid until `data` is changed or destroyed.
template <class Data>  // A template is compiled only where it is called.
[[nodiscard]] std::enable_if_t<detail::is_data<Data>::value, std::string_view> event_type(
    const Data& data) noexcept;

/// The ID of the workspace in which it happened, or "" for an event without one. It takes a BetaWebhookEventData
/// or one of the structs. The view is valid until `data` is changed or destroyed.
template <class Data>
[[nodiscard]] std::enable_if_t<detail::is_data<Data>::value, std::string_view> workspace_id(
    const Data& data) noexcept;

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
inline constexpr bool has_workspace_id = false;
template <class T>
inline constexpr bool has_workspace_id<T, std::void_t<decltype(T::workspace_id)>> = true;
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

/// All members of an event's data, in their order.
template <class T>
auto strings_of(T& data) {
  constexpr std::size_t count = sizeof(T) / sizeof(std::string);
  static_assert(count >= 2 && count <= 5, "strings_of() does not know so many members");
  if constexpr (count == 2) {
    auto& [a, b] = data;
    return std::array{&a, &b};
  } else if constexpr (count == 3) {
    auto& [a, b, c] = data;
    return std::array{&a, &b, &c};
  } else if constexpr (count == 4) {
    auto& [a, b, c, d] = data;
    return std::array{&a, &b, &c, &d};
  } else {
    auto& [a, b, c, d, e] = data;
    return std::array{&a, &b, &c, &d, &e};
  }
}

template <class T>
constexpr std::string_view tag_of() {
  if constexpr (is_known_event_data<T>) return T::type;
  return {};
}

/// Whether T is the data of an event, in the variant or alone.
template <class T>
struct is_data : std::bool_constant<is_event_data<T> || std::is_same_v<T, BetaWebhookEventData>> {};

template <class... Ts>
std::string_view event_type_in(const std::variant<Ts...>& data) noexcept {
  static constexpr std::array tags{tag_of<Ts>()...};
  if (const auto* const unknown = std::get_if<BetaWebhookUnknownEventData>(&data)) return unknown->type;
  return data.valueless_by_exception() ? std::string_view() : tags[data.index()];
}

template <class T, class Data>
std::string_view workspace_id_as(const Data& data) {
  return workspace_id(*std::get_if<T>(&data));
}

// A table compiles faster than std::visit().
template <class... Ts>
std::string_view workspace_id_in(const std::variant<Ts...>& data) noexcept {
  static constexpr std::array getters{&workspace_id_as<Ts, std::variant<Ts...>>...};
  return data.valueless_by_exception() ? std::string_view() : getters[data.index()](data);
}

}  // namespace detail

template <class T>
std::enable_if_t<detail::is_event_data<T>, bool> operator==(const T& a, const T& b) {
  const auto left = detail::strings_of(a);
  const auto right = detail::strings_of(b);
  for (std::size_t i = 0; i < left.size(); ++i) {
    if (*left[i] != *right[i]) return false;
  }
  return true;
}

template <class Data>
std::enable_if_t<detail::is_data<Data>::value, std::string_view> event_type(const Data& data) noexcept {
  if constexpr (detail::is_event_data<Data>) {
    return data.type;
  } else {
    return detail::event_type_in(data);
  }
}

template <class Data>
std::enable_if_t<detail::is_data<Data>::value, std::string_view> workspace_id(
    [[maybe_unused]] const Data& data) noexcept {
  if constexpr (detail::has_workspace_id<Data>) {
    return data.workspace_id;
  } else if constexpr (detail::is_event_data<Data>) {
    return {};
  } else {
    return detail::workspace_id_in(data);
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
