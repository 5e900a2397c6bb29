// SPDX-License-Identifier: MIT
#include <anthropic/webhooks/events.hpp>

#if defined(INCLUDE_NLOHMANN_JSON_FWD_HPP_) || defined(DATE_H)
#error "events.hpp includes standard headers only"
#endif

#include "catch.hpp"
#include "samples.hpp"

#include <chrono>
#include <cstddef>
#include <iterator>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>
#include <vector>

using namespace anthropic::webhooks;

namespace {

constexpr std::size_t known_types = std::variant_size_v<BetaWebhookEventData> - 1;

template <class T>
constexpr bool has_extra_field = sizeof(T) == 4 * sizeof(std::string);

/// The members "1", "2", "3" and, where there is an extra field, "4".
template <class T>
T numbered() {
  if constexpr (has_extra_field<T>) {
    return T{"1", "2", "3", "4"};
  } else {
    return T{"1", "2", "3"};
  }
}

template <class T>
std::vector<std::string*> members(T& data) {
  if constexpr (std::is_same_v<T, BetaWebhookUnknownEventData>) {
    auto& [type, id, organization_id, workspace_id, json] = data;
    return {&type, &id, &organization_id, &workspace_id, &json};
  } else if constexpr (has_extra_field<T>) {
    auto& [id, organization_id, workspace_id, extra] = data;
    return {&id, &organization_id, &workspace_id, &extra};
  } else {
    auto& [id, organization_id, workspace_id] = data;
    return {&id, &organization_id, &workspace_id};
  }
}

template <class T>
void check_equal(const T& a, const T& b, bool equal) {
  CHECK((a == b) == equal);
  CHECK((b == a) == equal);
  CHECK((a != b) == !equal);
  CHECK((b != a) == !equal);
}

template <class T>
void check_equality_by_members(const T& data) {
  T other = data;
  check_equal(data, other, true);
  for (std::string* const member : members(other)) {
    const std::string before = *member;
    *member += "x";
    check_equal(data, other, false);
    check_equal<BetaWebhookEventData>(data, other, false);
    *member = before;
  }
}

template <class T>
constexpr bool moves_without_throwing =
    std::is_nothrow_move_constructible_v<T>&& std::is_nothrow_move_assignable_v<T>;

}  // namespace

TEST_CASE("the variant holds the event types and their tags in this order, the unknown one last") {
  struct {
    BetaWebhookEventData data;
    std::string_view tag;
  } const rows[] = {
      {BetaWebhookSessionCreatedEventData{}, "session.created"},
      {BetaWebhookSessionPendingEventData{}, "session.pending"},
      {BetaWebhookSessionRunningEventData{}, "session.running"},
      {BetaWebhookSessionIdledEventData{}, "session.idled"},
      {BetaWebhookSessionRequiresActionEventData{}, "session.requires_action"},
      {BetaWebhookSessionArchivedEventData{}, "session.archived"},
      {BetaWebhookSessionDeletedEventData{}, "session.deleted"},
      {BetaWebhookSessionStatusRescheduledEventData{}, "session.status_rescheduled"},
      {BetaWebhookSessionStatusRunStartedEventData{}, "session.status_run_started"},
      {BetaWebhookSessionStatusIdledEventData{}, "session.status_idled"},
      {BetaWebhookSessionStatusTerminatedEventData{}, "session.status_terminated"},
      {BetaWebhookSessionThreadCreatedEventData{}, "session.thread_created"},
      {BetaWebhookSessionThreadIdledEventData{}, "session.thread_idled"},
      {BetaWebhookSessionThreadTerminatedEventData{}, "session.thread_terminated"},
      {BetaWebhookSessionOutcomeEvaluationEndedEventData{}, "session.outcome_evaluation_ended"},
      {BetaWebhookVaultCreatedEventData{}, "vault.created"},
      {BetaWebhookVaultArchivedEventData{}, "vault.archived"},
      {BetaWebhookVaultDeletedEventData{}, "vault.deleted"},
      {BetaWebhookVaultCredentialCreatedEventData{}, "vault_credential.created"},
      {BetaWebhookVaultCredentialArchivedEventData{}, "vault_credential.archived"},
      {BetaWebhookVaultCredentialDeletedEventData{}, "vault_credential.deleted"},
      {BetaWebhookVaultCredentialRefreshFailedEventData{}, "vault_credential.refresh_failed"},
      {BetaWebhookUnknownEventData{"agent.created", "", "", "", ""}, "agent.created"},
  };
  CHECK(std::size(rows) == std::variant_size_v<BetaWebhookEventData>);
  for (std::size_t i = 0; i < std::size(rows); ++i) {
    INFO(rows[i].tag);
    CHECK(rows[i].data.index() == i);
    CHECK(event_type(rows[i].data) == rows[i].tag);
  }
  static_assert(
      std::is_same_v<std::variant_alternative_t<known_types, BetaWebhookEventData>, BetaWebhookUnknownEventData>);
}

TEST_CASE("every event type is an aggregate of its common fields, then its extra field") {
  samples::for_each_event_type([](auto empty) {
    using T = decltype(empty);
    static_assert(std::is_aggregate_v<T>);
    static_assert(sizeof(T) == 3 * sizeof(std::string) || has_extra_field<T>);
    const T data = numbered<T>();
    INFO(T::type);
    CHECK(data.id == "1");
    CHECK(data.organization_id == "2");
    CHECK(data.workspace_id == "3");
  });
  static_assert(std::is_aggregate_v<BetaWebhookUnknownEventData>);
  static_assert(std::is_aggregate_v<BetaWebhookEvent>);

  CHECK(numbered<BetaWebhookSessionThreadCreatedEventData>().session_thread_id == "4");
  CHECK(numbered<BetaWebhookSessionThreadIdledEventData>().session_thread_id == "4");
  CHECK(numbered<BetaWebhookSessionThreadTerminatedEventData>().session_thread_id == "4");
  CHECK(numbered<BetaWebhookVaultCredentialCreatedEventData>().vault_id == "4");
  CHECK(numbered<BetaWebhookVaultCredentialArchivedEventData>().vault_id == "4");
  CHECK(numbered<BetaWebhookVaultCredentialDeletedEventData>().vault_id == "4");
  CHECK(numbered<BetaWebhookVaultCredentialRefreshFailedEventData>().vault_id == "4");
}

#if __cplusplus >= 202002L
TEST_CASE("designated initialisers name the wire's keys") {
  const BetaWebhookEvent event{
      .id = "whe_1",
      .created_at = Timestamp{std::chrono::seconds{1}},
      .data = BetaWebhookVaultCredentialDeletedEventData{
          .id = "vcrd_1", .organization_id = "org_1", .workspace_id = "wrkspc_1", .vault_id = "vlt_1"}};
  CHECK(event ==
        BetaWebhookEvent{"whe_1", Timestamp{std::chrono::seconds{1}},
                         BetaWebhookVaultCredentialDeletedEventData{"vcrd_1", "org_1", "wrkspc_1", "vlt_1"}});
  CHECK(BetaWebhookUnknownEventData{
            .type = "a", .id = "b", .organization_id = "c", .workspace_id = "d", .json = "e"} ==
        BetaWebhookUnknownEventData{"a", "b", "c", "d", "e"});
}
#endif

TEST_CASE("the envelope is tagged \"event\", and is what unwrap() returns") {
  static_assert(BetaWebhookEvent::type == "event");
  static_assert(std::is_same_v<UnwrapWebhookEvent, BetaWebhookEvent>);
  CHECK(BetaWebhookEvent{}.created_at == Timestamp{});
}

TEST_CASE("events move without throwing") {
  samples::for_each_event_type([](auto empty) { static_assert(moves_without_throwing<decltype(empty)>); });
  static_assert(moves_without_throwing<BetaWebhookUnknownEventData>);
  static_assert(moves_without_throwing<BetaWebhookEventData>);
  static_assert(moves_without_throwing<BetaWebhookEvent>);
}

TEST_CASE("events are equal when all their members are") {
  samples::for_each_event_type([](auto empty) {
    INFO(decltype(empty)::type);
    check_equality_by_members(numbered<decltype(empty)>());
  });
  check_equality_by_members(BetaWebhookUnknownEventData{"1", "2", "3", "4", "5"});
  check_equal<BetaWebhookEventData>(BetaWebhookSessionCreatedEventData{}, BetaWebhookSessionDeletedEventData{},
                                    false);

  const BetaWebhookEvent event{"whe_1", Timestamp{}, BetaWebhookSessionCreatedEventData{"1", "2", "3"}};
  check_equal(event, BetaWebhookEvent{event}, true);
  check_equal(event, BetaWebhookEvent{"whe_2", event.created_at, event.data}, false);
  check_equal(event, BetaWebhookEvent{"whe_1", Timestamp{std::chrono::microseconds{1}}, event.data}, false);
  check_equal(event,
              BetaWebhookEvent{"whe_1", event.created_at, BetaWebhookSessionDeletedEventData{"1", "2", "3"}},
              false);
}

TEST_CASE("overloaded picks the lambda of the alternative, else the catch-all") {
  const auto name = [](const BetaWebhookEventData& data) {
    return std::visit(overloaded{[](const BetaWebhookSessionIdledEventData& idled) { return idled.id; },
                                 [](const BetaWebhookUnknownEventData& unknown) { return unknown.type; },
                                 [](const auto& other) { return std::string("other ") + other.id; }},
                      data);
  };
  CHECK(name(BetaWebhookSessionIdledEventData{"sesn_1", "", ""}) == "sesn_1");
  CHECK(name(BetaWebhookUnknownEventData{"agent.created", "", "", "", ""}) == "agent.created");
  CHECK(name(BetaWebhookVaultCreatedEventData{"vlt_1", "", ""}) == "other vlt_1");
}
