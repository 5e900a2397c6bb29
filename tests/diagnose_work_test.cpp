// SPDX-License-Identifier: MIT
// How much work diagnose() does for the worst requests.
#include <anthropic/webhooks/diagnose.hpp>

#include "allocations.hpp"
#include "catch.hpp"
#include "signature.hpp"

#include <chrono>
#include <cstddef>
#include <ctime>
#include <fstream>
#include <iomanip>
#include <iostream>
#include <iterator>
#include <random>
#include <string>
#include <string_view>
#include <vector>

using namespace anthropic::webhooks;
using cause = WebhookCause;

namespace {

constexpr std::size_t mebibyte = std::size_t{1} << 20;
const std::string key = "0123456789abcdefghijklmnopqrstu\n";
const std::string secret = "whsec_MDEyMzQ1Njc4OWFiY2RlZmdoaWprbG1ub3BxcnN0dQo=";
const std::string timestamp = "1773568800";
constexpr std::chrono::system_clock::time_point now{std::chrono::seconds{1773568800}};

std::vector<cause> causes_of(std::string_view body, std::string_view signatures, std::string_view at = timestamp) {
  std::vector<cause> causes;
  for (const auto& finding : diagnose(secret, body, WebhookHeaders{"msg_1", at, signatures}, now))
    causes.push_back(finding.cause);
  return causes;
}

/// The largest body that diagnose() still rewrites as JSON: units between `begin` and `end`.
template <class Unit>
std::string filled_by(std::string begin, Unit unit, const std::string& end) {
  for (int i = 0;; ++i) {
    const std::string next = unit(i);
    if (begin.size() + next.size() + end.size() >= mebibyte) return begin + end;
    begin += next;
  }
}
std::string filled(const std::string& begin, const std::string& unit, const std::string& end) {
  return filled_by(
      begin, [&unit](int) { return unit; }, end);
}

}  // namespace

TEST_CASE("the work for a forged request is bounded, whatever its body") {
  const std::string open(40, '['), close(40, ']');
  std::mt19937 random(1);
  const auto key_and_value = [&random](int i) {
    return (i == 0 ? "\"" : ",\"") + std::to_string(random() % 1'000'000) + "\":1";
  };
  std::ifstream file(FUZZ_SEEDS_DIR "/diagnose/most_work", std::ios::binary);
  REQUIRE(file);
  std::string line, fuzzed;
  for (int i = 0; i < 4; ++i) std::getline(file, line);
  fuzzed.assign(std::istreambuf_iterator<char>(file), {});
  const struct {
    std::string name, body;
  } rows[] = {
      {"one long string", filled("[\"", "x", "\"]")},
      {"one long string of escapes", filled("[\"", "\\u00e9", "\"]")},
      {"UTF-8 that was read as Latin-1", filled("[\"", "Ã©", "\"]")},
      {"Windows-1252", filled("[\"", "\xe9\x80", "\"]")},
      {"arrays in arrays", std::string(mebibyte / 2 - 1, '[') + std::string(mebibyte / 2 - 1, ']')},
      {"many nested arrays", filled("[1", "," + open + close, "]")},
      {"many values in nested arrays", filled(open + "1", ",1", close)},
      {"short strings", filled("[\"\"", ",\"/\"", "]")},
      {"short strings in nested arrays", filled(open + "\"/\"", ",\"/\"", close)},
      {"many short keys", filled_by("{", key_and_value, "}")},
      {"many short keys with a slash", filled_by(
                                           "{", [&](int i) { return key_and_value(i) + "0,\"/\":\"/\""; }, "}")},
      {"everything that can be undone",
       filled("\xef\xbb\xbf[\"%2B+ ", "%41+/ \r\n", "\"]\r\n\r\n\n\n\n\n\n") + std::string(3, '\0')},
      {"base64", filled("", "eyIv", "")},
      {"the worst input of the fuzzer", fuzzed},
      {"the worst input of the fuzzer, repeated", filled("[" + fuzzed, "," + fuzzed, "]")},
  };
  // Every cause in the headers applies, and every candidate is hashed.
  const std::string none = "v1,AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
  const std::string signatures =
      none + " " + none.substr(3) + " v1," + std::string(43, '-') + " %2B " + std::string(64, '0');
  for (const auto& row : rows) {
    detail::work_budget budget;
    const auto started = std::clock();
    const auto before = allocations::bytes;
    const auto findings =
        detail::diagnose_received(secret, row.body, {"1773569800", "1773560000123", signatures}, {}, now, budget);
    const auto allocated = allocations::bytes - before;
    const double seconds = static_cast<double>(std::clock() - started) / CLOCKS_PER_SEC;
    std::cout << std::setw(40) << std::left << row.name << std::setw(8) << std::right << row.body.size()
              << " bytes: " << std::setw(4) << budget.spent() / mebibyte << " MiB written and hashed, "
              << std::setw(4) << allocated / mebibyte << " MiB allocated, " << std::fixed << std::setprecision(2)
              << seconds << " s\n";
    INFO(row.name);
    for (const auto& finding : findings) CHECK_FALSE(finding.proven);
    CHECK(budget.spent() <= 512 * mebibyte);
    CHECK(allocated <= 3 * budget.spent() + 16 * mebibyte);  // growing a string allocates twice its size
    CHECK(seconds < 60);
  }
}

TEST_CASE("a body is hashed, and the work counted, only if a signature may match") {
  const std::string none = "v1,AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
  const auto spent_on = [](std::string_view body, std::string_view signatures) {
    detail::work_budget budget;
    static_cast<void>(detail::diagnose_received(secret, body, {"msg_1", timestamp, signatures}, {}, now, budget));
    return budget.spent();
  };
  const std::string body(mebibyte, '~');
  const auto written = spent_on(body, "v1,x");
  CHECK(written > 10 * mebibyte);
  CHECK(spent_on(body, none) > written + 20 * mebibyte);
  CHECK(spent_on(body, none) < written + 200 * mebibyte);
}

TEST_CASE("the search of a large or deeply nested body is bounded") {
  const auto signed_at = [](const std::string& text, const std::string& at = timestamp) {
    return signature(key, "msg_1", at, text);
  };
  const std::string large = R"(["x)" + std::string(3 * mebibyte, 'y') + "\"]";
  CHECK(causes_of(large + "\n", signed_at(large)) == std::vector{cause::body_newline});
  CHECK(causes_of(large + "\n", signed_at(large, "1"), "1") == std::vector{cause::clock, cause::body_newline});
  CHECK(causes_of(large, signed_at("{}")) == std::vector{cause::unknown});
  CHECK(causes_of(std::string(mebibyte, '['), signed_at("{}")) == std::vector{cause::unknown});

  // A request that verifies is recognized even if hashing it exceeds the search budget.
  const std::string largest(513 * mebibyte, 'x');
  CHECK(causes_of(largest, WebhookVerifier(secret).sign("msg_1", now, largest)) == std::vector{cause::verified});
  const auto findings = diagnose(secret, largest, WebhookHeaders{"msg_1", timestamp, signed_at("{}")}, now);
  REQUIRE(findings.size() == 1);
  CHECK(findings[0].what == "No signature matched before the search had to stop, since the request is so large.");
}
