// SPDX-License-Identifier: MIT
// Calls the whole public API as a user would, for tests/warnings.
#include <anthropic/webhooks.hpp>
#include <anthropic/webhooks/diagnose.hpp>
#include <anthropic/webhooks/verify.hpp>

#include <nlohmann/json.hpp>

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

using namespace anthropic::webhooks;

int main(int argc, char** argv) {
  const std::string body(argv[argc - 1]);
  WebhookError error;
  int uses = 0;
  const auto use = [&uses](const auto& event) { uses += event == event ? 1 : 0; };
  try {
    // Events, errors and timestamps.
    const BetaWebhookEvent event = unwrap(body);
    use(event);
    uses += event != BetaWebhookEvent() && event_type(event.data).empty() ? 1 : 0;
    std::visit(overloaded{[&](const BetaWebhookSessionThreadIdledEventData& data) { use(data); },
                          [&](const BetaWebhookUnknownEventData& data) { use(data); },
                          [&](const auto& data) { use(data); }},
               event.data);
    use(parse_timestamp(format_timestamp(event.created_at)));
    uses += resource_of(event.data) != resource_of(BetaWebhookSessionThreadIdledEventData()) ? 1 : 0;
    if (const auto tried = try_unwrap(body, error)) use(*tried);
    uses += error.http_status() + static_cast<int>(error.code() == WebhookErrc::none) +
            static_cast<int>(error.path().size());

    // JSON, of more than one type.
    const auto json = nlohmann::json::parse(body);
    use(json.get<UnwrapWebhookEvent>());
    use(json.get<BetaWebhookEventData>());
    use(json.get<BetaWebhookVaultCredentialCreatedEventData>());
    use(json.get<BetaWebhookUnknownEventData>());
    use(nlohmann::json(event));
    use(nlohmann::ordered_json(event));
    use(nlohmann::ordered_json(event.data));

    // Verification, with headers in each form.
    const WebhookVerifier verifier(argv[0]);
    const WebhookVerifier rotating(std::vector<std::string>{body, body}, std::chrono::minutes{1});
    const WebhookVerifier raw = WebhookVerifier::from_raw_key(body);
    const auto now = std::chrono::system_clock::now();
    const std::string signature = raw.sign(event.id, now, body);
    const std::multimap<std::string, std::string> headers{{"webhook-id", event.id}};
    const std::vector<std::pair<std::string_view, const char*>> pairs{{"webhook-id", argv[0]}};
    const WebhookHeaders by_hand{event.id, argv[0], std::string_view(signature)};
    const auto as_pointer = [&](const char* name) { return argc > 1 ? name : nullptr; };
    const auto as_string = [&](const char* name) { return std::string(name); };
    const auto as_optional = [&](const char* name) { return std::optional<std::string_view>(name); };
    uses += static_cast<int>(verifier.verify(body, headers) + rotating.verify(body, pairs, now) +
                             raw.verify(body, by_hand) + raw.verify(body, webhook_headers(headers)));
    use(verifier.unwrap(body, as_pointer));
    use(unwrap(body, as_string, argv[0]));
    if (const auto tried = verifier.try_unwrap(body, as_optional, error)) use(*tried);
    uses += verifier.try_verify(body, by_hand, error) == raw.try_verify(body, as_string, error) ? 1 : 0;
    const auto made = WebhookVerifier::try_make({argv[0], body}, error);
    if (made && WebhookVerifier::try_make(std::vector{body}, error)) use(made->signed_headers(event.id, body));
    uses += static_cast<int>(WebhookVerifier({body}).verify(body, raw.signed_headers(event.id, body)) +
                             to_string(error.code()).size()) +
            (by_hand.id == body ? 1 : 0);
    if (const auto text = try_format_timestamp(event.created_at)) use(*text);

    // Diagnosis, with headers in each form.
    for (const auto& finding : diagnose(body, body, headers)) uses += finding.proven ? 1 : 0;
    uses += static_cast<int>(diagnose(body, body, pairs, now).size() + diagnose(body, body, by_hand).size() +
                             diagnose(argv[0], body, as_pointer).front().what.size());
  } catch (const WebhookParseError& e) {
    error = e;
  } catch (const WebhookVerificationError& e) {
    error = e;
  }
  return uses + error.http_status();
}
