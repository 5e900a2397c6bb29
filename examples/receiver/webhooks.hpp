// SPDX-License-Identifier: MIT
// What the receiver answers: to deliveries, and to those who ask whether it is well.
#pragma once

#include "handlers.hpp"
#include "http.hpp"
#include "recorder.hpp"
#include "save.hpp"
#include "secrets.hpp"

#include <algorithm>

using namespace anthropic::webhooks;

class Webhooks final : public Server {
 public:
  Webhooks(asio::io_context& io, const std::string& database, Handler handler, std::chrono::seconds handler_limit,
           std::chrono::seconds last, std::string save_refused)
      : Server(io),
        recorder(io, database),
        handlers(io, database, std::move(handler), handler_limit, last),
        is_counted_(io),
        save_refused_(std::move(save_refused)) {}

  Secrets secrets;
  Recorder recorder;
  Handlers handlers;

 private:
  using clock = std::chrono::steady_clock;

  // The target may have a query, and may be a whole URL.
  static bool is_for(std::string_view path, const Request& header) {
    std::string_view target = view(header.target());
    target = target.substr(0, target.find('?'));
    if (const auto host = target.find("://"); host != target.npos && target[0] != '/') {
      target.remove_prefix(std::min(target.find('/', host + 3), target.size()));
    }
    return target == path;
  }

  Answer check(const Request& header) const override {
    using http::field;
    const bool reads = header.method() == http::verb::get || header.method() == http::verb::head;
    for (const std::string path : {"/healthz", "/metrics"}) {
      if (is_for(path, header))
        return reads ? Answer() : Answer{405, "only GET and HEAD " + path, "", "GET, HEAD"};
    }
    if (!is_for("/webhooks", header)) return {404, "only POST /webhooks"};
    if (header.method() != http::verb::post) return {405, "only POST /webhooks", "", "POST"};
    for (const auto& line : header) {
      if ((line.name() == field::content_encoding && !beast::iequals(line.value(), "identity")) ||
          (line.name() == field::transfer_encoding && !beast::iequals(line.value(), "chunked"))) {
        return {415, "the body is encoded, perhaps by a proxy"};
      }
    }
    return {};
  }

  asio::awaitable<Answer> answer(const Request& request) override {
    if (is_for("/healthz", request)) co_return co_await health();
    if (is_for("/metrics", request)) co_return co_await metrics();
    Answer answer = verify(request);
    if (answer.status != 0) co_return answer;
    const std::string id = printable(view(request["webhook-id"]));
    try {
      const bool is_new = co_await recorder.record(id, request.body());
      ++(is_new ? recorded_ : duplicates_);
      handlers.wake();
      WebhookError error;
      const auto event = try_unwrap(request.body(), error);
      answer = {200, (is_new ? "recorded " : "duplicate ") + id};
      answer.for_the_log =
          event ? " " + std::string(event_type(event->data)) : std::string(" not understood: ") + error.what();
    } catch (const std::exception& e) {
      answer = {503, "not recorded", std::string(": ") + e.what()};  // the service sends it again
    }
    co_return answer;
  }

  Answer verify(const Request& request) {
    Headers headers;
    for (const auto& line : request) headers.emplace_back(view(line.name_string()), view(line.value()));
    try {
      secrets.verify(request.body(), headers);
    } catch (const WebhookError& e) {
      const auto status = static_cast<unsigned>(e.http_status());
      const char* const kind = e.code() == WebhookErrc::missing_header ? ".unsigned." : ".signed.";
      if (status == 401 && !save_refused_.empty()) save(save_refused_ + kind, headers, request.body());
      return {status, e.what()};
    }
    if (request["webhook-id"].size() > 1000) return {431, "the webhook-id is too long"};
    return {};
  }

  asio::awaitable<Answer> health() {
    co_await try_recorder();
    const bool good = problem_ == "" && !is_ending;
    co_return Answer{good ? 200U : 503U, good ? "good" : is_ending ? "ending" : "cannot record", "", "", false};
  }

  // Strangers may ask as often as they like: it tries once a second. A proxy that asks for /healthz may refuse all
  // deliveries, so the log has to say why.
  asio::awaitable<void> try_recorder() {
    if (clock::now() < try_at_) co_return;
    try_at_ = clock::time_point::max();
    std::string problem;
    try {
      co_await recorder.record("", "");
    } catch (const std::exception& e) {
      problem = e.what();
    }
    const auto line = problem.empty() ? "deliveries can be recorded again" : "cannot record: " + problem;
    if (problem != problem_.value_or("")) the_log.line(line);
    problem_ = problem;
    try_at_ = clock::now() + std::chrono::seconds(1);
  }

  // Every ten seconds at most. Whoever asks for metrics waits for it, but not for long.
  asio::awaitable<void> count_backlog() {
    std::string problem;
    try {
      backlog_ = co_await handlers.backlog();
    } catch (const std::exception& e) {
      problem = e.what();
      backlog_.reset();
    }
    if (!problem.empty() && problem != backlog_problem_) the_log.line("cannot count events: " + problem);
    backlog_problem_ = problem;
    count_at_ = clock::now() + std::chrono::seconds(10);
    is_counted_.cancel();
  }

  asio::awaitable<Answer> metrics() {
    const bool is_due = clock::now() >= count_at_;
    if (is_due) {
      count_at_ = clock::time_point::max();
      is_counted_.expires_after(std::chrono::seconds(3));
      asio::co_spawn(is_counted_.get_executor(), count_backlog(), asio::detached);
    }
    beast::error_code canceled;
    if (is_due || !backlog_) {
      co_await is_counted_.async_wait(asio::redirect_error(asio::use_awaitable, canceled));
    }
    co_await try_recorder();
    Metrics all;
    all.add("requests_total", "Requests except /healthz and /metrics, by status; 0 if no answer was sent.",
            "status", requests);
    all.add("deliveries_total", "Deliveries that verified, by the place of their secret in the file.", "secret",
            secrets.deliveries);
    all.add("events_recorded_total", "Events that were recorded.", recorded_);
    all.add("events_duplicate_total", "Deliveries of events that were recorded before.", duplicates_);
    all.add("events_handled_total", "Events that were handled.", handlers.handled);
    all.add("attempts_failed_total", "Failed attempts to handle an event.", handlers.failed);
    all.add("database_up", "Whether deliveries can be recorded.", problem_ == "");
    if (backlog_) {
      all.add("events_waiting", "Events that are not handled, up to 200,000.", backlog_->waiting);
      all.add("oldest_event_age_seconds", "Seconds since the oldest waiting event came.", backlog_->age);
      all.add("events_failing", "Events that failed five times or more.", backlog_->failing);
      all.add("events_unparsable", "Events whose body does not parse.", backlog_->unparsable);
    }
    all.text.pop_back();  // the answer gets a newline
    co_return Answer{200, std::move(all.text), "", "", false, "text/plain; version=0.0.4; charset=utf-8"};
  }

  asio::steady_timer is_counted_;
  const std::string save_refused_;
  std::int64_t recorded_ = 0, duplicates_ = 0;
  std::optional<std::string> problem_;  // why nothing can be recorded, once that was tried
  std::string backlog_problem_;
  clock::time_point try_at_, count_at_;
  std::optional<Backlog> backlog_;
};
