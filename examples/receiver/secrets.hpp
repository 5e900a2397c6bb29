// SPDX-License-Identifier: MIT
// The secrets, which may change while the receiver runs.
#pragma once

#include "log.hpp"

#include <anthropic/webhooks/verify.hpp>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

class Secrets {
 public:
  /// Takes them from the file that ANTHROPIC_WEBHOOK_SIGNING_KEY_FILE names, or from
  /// ANTHROPIC_WEBHOOK_SIGNING_KEY. Throws an exception derived from std::exception if they are malformed.
  explicit Secrets(const Log& log) : log_(log) {
    const char* const file = std::getenv("ANTHROPIC_WEBHOOK_SIGNING_KEY_FILE");
    const char* const text = std::getenv("ANTHROPIC_WEBHOOK_SIGNING_KEY");
    if (file && text) throw std::runtime_error("webhook secret: there is a variable for it, and one for its file");
    if (file) file_ = file;
    use(file ? read() : text ? text : "");
  }

  /// Throws WebhookVerificationError. If none of the secrets has signed, it looks for others in the file, at most
  /// once a second.
  template <class Headers>
  void verify(std::string_view body, const Headers& headers) {
    using namespace anthropic::webhooks;
    try {
      return tell(verifier_->verify(body, headers));
    } catch (const WebhookVerificationError& e) {
      const bool may_read = !file_.empty() && clock::now() >= read_at_ + std::chrono::seconds(1);
      if (e.code() != WebhookErrc::no_matching_signature || !may_read || !reload(false)) throw;
    }
    tell(verifier_->verify(body, headers));
  }

  /// Reads the file again, and returns whether it was used. If it is malformed, the secrets before stay.
  bool reload(bool even_if_same = true) {
    read_at_ = clock::now();
    try {
      if (file_.empty()) throw std::runtime_error("there is no ANTHROPIC_WEBHOOK_SIGNING_KEY_FILE");
      std::string text = read();
      if (text == text_ && !even_if_same) return false;
      problem_.clear();
      use(text);
      log_("the file has " + std::to_string(tell_at_.size()) + " secrets now");
      return true;
    } catch (const std::exception& e) {
      if (problem_ != e.what()) log_(std::string("the secrets stay as they were: ") + e.what());
      problem_ = e.what();
      return false;
    }
  }

 private:
  using clock = std::chrono::steady_clock;

  [[nodiscard]] std::string read() const {
    std::ifstream file(file_, std::ios::binary);
    if (!file) throw std::runtime_error("webhook secret: cannot read " + file_);
    return {std::istreambuf_iterator<char>(file), {}};
  }

  void use(const std::string& text) {
    text_ = text;
    std::vector<std::string> secrets;
    const char* const separators = " \t\r\n,";
    for (std::size_t end = 0, at = 0; (at = text.find_first_not_of(separators, end)) != std::string::npos;) {
      end = std::min(text.find_first_of(separators, at), text.size());
      secrets.push_back(text.substr(at, end - at));
      if (secrets.back().compare(0, 6, "whsec_") != 0)
        throw std::runtime_error("webhook secret: each starts with whsec_");
    }
    verifier_ = anthropic::webhooks::WebhookVerifier(secrets);
    tell_at_.assign(secrets.size(), clock::time_point());
  }

  void tell(std::size_t index) {
    if (clock::now() < tell_at_[index]) return;
    tell_at_[index] = clock::now() + std::chrono::hours(1);
    log_("signed with secret " + std::to_string(index + 1) + " of " + std::to_string(tell_at_.size()));
  }

  const Log& log_;
  std::string file_, text_, problem_;
  std::optional<anthropic::webhooks::WebhookVerifier> verifier_;
  std::vector<clock::time_point> tell_at_;
  clock::time_point read_at_;
};
