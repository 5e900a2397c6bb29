// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <variant>

/// The webhook events of Anthropic's Managed Agents beta API as plain structs.
///
/// Every struct here is an aggregate whose members are named as the keys on the wire. It compares with `==` and
/// `!=`, and moves without throwing. Start at BetaWebhookEvent and BetaWebhookEventData, below the structs of the
/// single event types.
///
/// The envelope and `data.type` are read strictly, since there is no event without them. The other members of
/// `data` are read as freely as the official SDKs do, so that no event is lost when the service changes them. A
/// member that is absent or null is "". An event of a new type, or with a member that is not a string, arrives as
/// BetaWebhookUnknownEventData. Keys that are newer than the library are ignored; they are in the body.
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

/// An event of a type that this version of the library does not know, or with a member of another JSON type than
/// it knows. Both are normal input: the service keeps changing.
struct BetaWebhookUnknownEventData {
  std::string type;  ///< The tag, such as "workflow.published".
  std::string id;    ///< "" if the event has no such string, like the two members that follow.
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

/// The name that the official SDKs give to what unwrap() returns.
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

/// A member of the structs: its key, and how to get it from a struct that has it.
template <class Get>
struct member {
  std::string_view name;
  Get get;
};
template <class Get>
member(const char*, Get) -> member<Get>;

/// All members of the structs, in the order that they have there. A new member needs its line in the struct and
/// its row here, and nothing else.
inline constexpr std::tuple all_members{
    member{"id", [](auto& data) -> decltype((data.id)) { return data.id; }},
    member{"organization_id", [](auto& data) -> decltype((data.organization_id)) { return data.organization_id; }},
    member{"workspace_id", [](auto& data) -> decltype((data.workspace_id)) { return data.workspace_id; }},
    member{"enforcement_action_id",
           [](auto& data) -> decltype((data.enforcement_action_id)) { return data.enforcement_action_id; }},
    member{"session_thread_id",
           [](auto& data) -> decltype((data.session_thread_id)) { return data.session_thread_id; }},
    member{"vault_id", [](auto& data) -> decltype((data.vault_id)) { return data.vault_id; }},
};
inline constexpr std::size_t member_count = std::tuple_size_v<decltype(all_members)>;

template <class Member, class T>
inline constexpr bool is_member_of = std::is_invocable_v<decltype(Member::get), T&>;

template <class Variant, class Member>
inline constexpr bool is_used = false;
template <class... Ts, class Member>
inline constexpr bool is_used<std::variant<Ts...>, Member> = (is_member_of<Member, Ts> || ...);
static_assert(std::apply([](auto... each) { return (is_used<BetaWebhookEventData, decltype(each)> && ...); },
                         all_members),
              "all_members has a row for a member that no struct has: remove the row");

/// The index in `all_members` of the member with this key.
constexpr std::size_t index_of(std::string_view key) {
  return std::apply(
      [key](const auto&... each) {
        std::size_t index = 0;
        bool is_found = false;
        ((is_found = is_found || each.name == key, index += is_found ? 0 : 1), ...);
        return index;
      },
      all_members);
}

template <class T>
inline constexpr std::size_t member_count_of =
    std::apply([](auto... each) { return (std::size_t{0} + ... + is_member_of<decltype(each), T>); }, all_members);

/// The indices in `all_members` of the members of T.
template <class T>
constexpr std::array<std::size_t, member_count_of<T>> indices_of() {
  static_assert(
      !is_known_event_data<T> || sizeof(T) == member_count_of<T> * sizeof(std::string),
      "T has a member without a row in detail::all_members, or one that is not a std::string: add the row");
  std::array<std::size_t, member_count_of<T>> found{};
  std::size_t index = 0, count = 0;
  std::apply(
      [&](auto... each) {
        ((is_member_of<decltype(each), T> ? void(found[count++] = index++) : void(++index)), ...);
      },
      all_members);
  return found;
}

/// The strings of an event's data by their indices in `all_members`, null for those that it does not have.
using member_strings = std::array<const std::string*, member_count>;

template <class Member, class T>
const std::string* string_of(const Member& member, const T& data) {
  if constexpr (is_member_of<Member, const T>) {
    return &member.get(data);
  } else {
    return nullptr;
  }
}

template <class T>
std::enable_if_t<is_event_data<T>, member_strings> strings_of(const T& data) {
  return std::apply([&data](const auto&... each) { return member_strings{string_of(each, data)...}; },
                    all_members);
}

template <class T, class Data>
member_strings strings_of_alternative(const Data& data) {
  return strings_of(*std::get_if<T>(&data));
}

template <class... Ts>
member_strings strings_of(const std::variant<Ts...>& data) {
  // A table compiles faster than std::visit().
  static constexpr std::array getters{&strings_of_alternative<Ts, std::variant<Ts...>>...};
  return data.valueless_by_exception() ? member_strings{} : getters[data.index()](data);
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

}  // namespace detail

template <class T>
std::enable_if_t<detail::is_event_data<T>, bool> operator==(const T& a, const T& b) {
  const auto left = detail::strings_of(a);
  const auto right = detail::strings_of(b);
  for (std::size_t i = 0; i < left.size(); ++i) {
    if (left[i] != nullptr && *left[i] != *right[i]) return false;
  }
  if constexpr (!detail::is_known_event_data<T>) return a.type == b.type && a.json == b.json;
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
std::enable_if_t<detail::is_data<Data>::value, std::string_view> workspace_id(const Data& data) noexcept {
  const auto* const id = detail::strings_of(data)[detail::index_of("workspace_id")];
  return id == nullptr ? std::string_view() : *id;
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
