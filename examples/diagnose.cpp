// SPDX-License-Identifier: MIT
// Says why a saved request was refused, or what it holds. The secret is in ANTHROPIC_WEBHOOK_SIGNING_KEY; while
// secrets are rotated, name each, with a comma between them.
//
//   diagnose [--now SECONDS] [file]
//
// The file, or else standard input, is a request as a log keeps it: header lines, an empty line, and the body byte
// for byte. A request line, or the status line of `curl -i`, may come first. --now is the time at which the
// request came, in seconds since 1970. Without it, diagnose takes the present, and reports a wrong clock for an
// old request. The exit status is 0 for a verified event, 1 if the request does not verify or holds no event, and
// 2 for any other error.
#include <anthropic/webhooks/diagnose.hpp>

#include <chrono>
#include <cstdlib>
#include <exception>
#include <fstream>
#include <iostream>
#include <iterator>
#include <sstream>
#include <stdexcept>
#include <string>
#include <utility>
#include <variant>
#include <vector>

using namespace anthropic::webhooks;

struct Request {
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
};

Request read_request(std::istream& in) {
  Request request;
  std::string line;
  for (int number = 1; std::getline(in, line); ++number) {
    if (!line.empty() && line.back() == '\r') line.pop_back();
    if (line.empty()) {
      request.body.assign(std::istreambuf_iterator<char>(in), {});
      return request;
    }
    if (number == 1 && (line.find("HTTP/") == 0 || line.find(" HTTP/") != std::string::npos)) continue;
    const auto colon = line.find(':');
    if (colon == std::string::npos) throw std::runtime_error("line " + std::to_string(number) + " is no header");
    request.headers.emplace_back(line.substr(0, colon), line.substr(colon + 1));
  }
  throw std::runtime_error("there is no empty line after the headers");
}

// The findings for the secret that proves most.
std::vector<WebhookFinding> findings_for(const std::string& secrets, const Request& request,
                                         std::chrono::system_clock::time_point now) {
  std::vector<WebhookFinding> best;
  std::istringstream list(secrets);
  for (std::string secret; std::getline(list, secret, ',');) {
    auto findings = diagnose(secret, request.body, request.headers, now);
    if (findings.front().cause == WebhookCause::verified) return findings;
    if (best.empty() || (findings.front().proven && !best.front().proven)) best = std::move(findings);
  }
  return best;
}

int main(int argc, char** argv) try {
  std::vector<std::string> arguments(argv + 1, argv + argc);
  auto now = std::chrono::system_clock::now();
  if (arguments.size() >= 2 && arguments[0] == "--now") {
    if (arguments[1].empty() || arguments[1].size() > 10 ||
        arguments[1].find_first_not_of("0123456789") != std::string::npos) {
      throw std::runtime_error("--now takes whole seconds since 1970");
    }
    now = std::chrono::system_clock::time_point(std::chrono::seconds(std::stoll(arguments[1])));
    arguments.erase(arguments.begin(), arguments.begin() + 2);
  }
  if (arguments.size() > 1 || (!arguments.empty() && arguments[0].find('-') == 0)) {
    throw std::runtime_error("usage: diagnose [--now SECONDS] [file]");
  }
  const char* secrets = std::getenv("ANTHROPIC_WEBHOOK_SIGNING_KEY");
  if (secrets == nullptr || *secrets == '\0') throw std::runtime_error("ANTHROPIC_WEBHOOK_SIGNING_KEY is not set");

  std::ifstream file;
  if (!arguments.empty()) {
    file.open(arguments[0], std::ios::binary);
    if (!file) throw std::runtime_error("cannot read " + arguments[0]);
  }
  const Request request = read_request(arguments.empty() ? std::cin : file);

  const auto findings = findings_for(secrets, request, now);
  if (findings.front().cause != WebhookCause::verified) {
    for (const auto& finding : findings) {
      std::cout << (finding.proven ? "proven: " : "likely: ") << finding.what << "\n        " << finding.remedy
                << '\n';
    }
    return 1;
  }
  const auto event = unwrap(request.body);
  const auto id = std::visit([](const auto& data) { return data.id; }, event.data);
  std::cout << "verified: " << format_timestamp(event.created_at) << "  " << event.id << "  "
            << event_type(event.data) << "  " << id << '\n';
  return 0;
} catch (const WebhookParseError& e) {
  std::cout << "verified, but no event: " << e.what() << '\n';
  return 1;
} catch (const std::exception& e) {
  std::cerr << "diagnose: " << e.what() << '\n';
  return 2;
}
