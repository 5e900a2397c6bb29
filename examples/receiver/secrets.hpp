// SPDX-License-Identifier: MIT
// The secrets, which may change while the receiver runs.
#pragma once

#include "log.hpp"
#include "metrics.hpp"

#include <anthropic/webhooks/verify.hpp>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <stdexcept>
#include <system_error>

class Secrets {
 public:
  /// Takes them from the file that ANTHROPIC_WEBHOOK_SIGNING_KEY_FILE names, or from
  /// ANTHROPIC_WEBHOOK_SIGNING_KEY. Throws an exception derived from std::exception if they are malformed.
  Secrets() {
    const char* const file = std::getenv("ANTHROPIC_WEBHOOK_SIGNING_KEY_FILE");
    const char* const text = std::getenv("ANTHROPIC_WEBHOOK_SIGNING_KEY");
    if (file && text) {
      throw std::runtime_error(
          "webhook secret: set ANTHROPIC_WEBHOOK_SIGNING_KEY or ANTHROPIC_WEBHOOK_SIGNING_KEY_FILE, not both");
    }
    if (!file && !text) {
      throw std::runtime_error(
          "webhook secret: neither ANTHROPIC_WEBHOOK_SIGNING_KEY_FILE nor ANTHROPIC_WEBHOOK_SIGNING_KEY is set");
    }
    if (file) file_ = file;
    if (is_pipe()) the_log.line(not_regular + std::string(", and is not read again"));
    use(file ? read() : text);
  }

  using clock = std::chrono::steady_clock;

  Counts deliveries;  ///< Those that were verified, by the place of the secret in the file.

  /// Throws WebhookVerificationError. Before that it looks for new secrets in the file, at most once a second.
  template <class Headers>
  void verify(std::string_view body, const Headers& headers, clock::time_point now = clock::now()) {
    using namespace anthropic::webhooks;
    try {
      return tell(verifier_->verify(body, headers), now);
    } catch (const WebhookVerificationError& e) {
      const bool may_read = !file_.empty() && now >= read_at_ + std::chrono::seconds(1);
      if (e.code() != WebhookErrc::no_matching_signature || !may_read || !reload(false, now)) throw;
    }
    tell(verifier_->verify(body, headers), now);
  }

  /// Reads the file again, and returns whether it took secrets. If it is malformed, the previous secrets stay in
  /// use. If `even_if_same`, it uses, and logs, what it knows already.
  bool reload(bool even_if_same, clock::time_point now = clock::now()) {
    read_at_ = now;
    std::string problem;
    try {
      if (file_.empty()) throw std::runtime_error("webhook secret: there is no file to read it from");
      if (is_pipe()) throw std::runtime_error(not_regular);  // which would wait for a writer
      const std::string text = read();
      if (text == text_ && !even_if_same) return false;
      use(text);
      the_log.line("secrets in the file: " + std::to_string(tell_at_.size()));
    } catch (const std::exception& e) {
      problem = e.what();
      if (problem != problem_ || even_if_same) the_log.line(problem + "; the previous secrets stay in use");
    }
    problem_ = problem;
    return problem.empty();
  }

 private:
  static constexpr auto not_regular = "webhook secret: ANTHROPIC_WEBHOOK_SIGNING_KEY_FILE is not a regular file";

  [[nodiscard]] bool is_pipe() const {
    std::error_code ignored;
    return std::filesystem::is_other(file_, ignored);
  }

  [[nodiscard]] std::string read() const {
    std::ifstream file(file_, std::ios::binary);
    if (!file) {  // the variable may have the secret itself, by mistake
      throw std::runtime_error("webhook secret: cannot read the file of ANTHROPIC_WEBHOOK_SIGNING_KEY_FILE: " +
                               std::generic_category().message(errno));
    }
    return {std::istreambuf_iterator<char>(file), {}};
  }

  void use(std::string text) {
    std::vector<std::string> secrets;
    const char* const separators = " \t\r\n,";
    for (std::size_t end = 0, at = 0; (at = text.find_first_not_of(separators, end)) != std::string::npos;) {
      end = std::min(text.find_first_of(separators, at), text.size());
      secrets.push_back(text.substr(at, end - at));
      if (!secrets.back().starts_with("whsec_"))
        throw std::runtime_error("webhook secret: each starts with whsec_");
    }
    for (std::size_t n = 1; n <= secrets.size(); ++n) deliveries[std::to_string(n)];
    anthropic::webhooks::WebhookVerifier verifier(secrets);
    tell_at_.assign(secrets.size(), {});
    verifier_ = std::move(verifier);
    text_ = std::move(text);  // only now: what fails is tried again
  }

  void tell(std::size_t index, clock::time_point now) {
    ++deliveries[std::to_string(index + 1)];
    if (now < tell_at_[index]) return;
    tell_at_[index] = now + std::chrono::hours(1);
    the_log.line("signed with secret " + std::to_string(index + 1) + " of " + std::to_string(tell_at_.size()));
  }

  std::string file_, text_, problem_;
  std::optional<anthropic::webhooks::WebhookVerifier> verifier_;
  std::vector<clock::time_point> tell_at_;  // when to say again that it is used
  clock::time_point read_at_;
};
