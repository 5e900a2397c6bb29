// SPDX-License-Identifier: MIT
// Says why a saved request was refused, or shows its event. `diagnose --help` says how to call it.
#include "command_line.hpp"

#include <anthropic/webhooks/diagnose.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdlib>
#include <exception>
#include <fstream>
#include <iostream>
#include <iterator>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

using namespace anthropic::webhooks;

const char* const usage = "usage: diagnose [--now SECONDS] [--body FILE] [FILE]";
const char* const help = R"(
Says why a request was refused, or that it verifies. ANTHROPIC_WEBHOOK_SIGNING_KEY has the secret, or several
separated by commas.

FILE, or standard input, is a request from a log: header lines, an empty line, and the body, byte for byte. A
request line, or the status line of `curl -i`, may come first. It may also be the output of `curl -v`, which does not
show the body: append it, or name its file with --body.

--now SECONDS  When the request arrived, in seconds since 1970. Without it, an old request is reported as a wrong
               clock.
--body FILE    The file with the body.

The exit status is 0 for a verified event, 1 if the request does not verify or is not an event, and 2 for any other
error.
)";

struct Request {
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
};

std::string content_of(std::istream& in) { return {std::istreambuf_iterator<char>(in), {}}; }

std::ifstream opened(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw std::runtime_error("cannot read " + path);
  return file;
}

bool starts_with(std::string_view text, std::string_view start) { return text.substr(0, start.size()) == start; }

Request read_request(std::string_view text) {
  Request request;
  // The next line, without its line ending.
  const auto cut_line = [&text] {
    auto line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    return line;
  };
  bool is_first = true;
  for (int number = 1; !text.empty(); ++number) {
    auto line = cut_line();
    if (starts_with(line, "* ")) continue;  // a note of curl
    const bool is_from_curl = starts_with(line, ">");
    if (is_from_curl) line.remove_prefix(std::min(line.size(), std::size_t{2}));
    if (line.empty()) {
      // The response and more notes of curl follow.
      const auto is_of_curl = [&text] {
        return starts_with(text, "* ") || starts_with(text, "< ") || starts_with(text, "{ [") ||
               starts_with(text, "} [");
      };
      while (is_from_curl && is_of_curl()) cut_line();
      request.body = text;
      return request;
    }
    const bool is_request_line = starts_with(line, "HTTP/") || line.find(" HTTP/") != std::string_view::npos;
    if (std::exchange(is_first, false) && is_request_line) continue;
    const auto colon = line.find(':');
    if (colon == std::string_view::npos)
      throw std::runtime_error("line " + std::to_string(number) + " is not a header");
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
  if (take_flag(arguments, "--help")) {
    std::cout << usage << '\n' << help;
    return 0;
  }
  const auto seconds = take_option(arguments, "--now"), body_path = take_option(arguments, "--body");
  auto now = std::chrono::system_clock::now();
  if (seconds) {
    if (seconds->empty() || seconds->size() > 10 ||
        seconds->find_first_not_of("0123456789") != std::string::npos) {
      throw std::runtime_error("--now takes whole seconds since 1970");
    }
    now = std::chrono::system_clock::time_point(std::chrono::seconds(std::stoll(*seconds)));
  }
  if (arguments.size() > 1 || (!arguments.empty() && starts_with(arguments[0], "-"))) {
    throw std::runtime_error(usage);
  }
  const char* secrets = std::getenv("ANTHROPIC_WEBHOOK_SIGNING_KEY");
  if (secrets == nullptr || *secrets == '\0') throw std::runtime_error("ANTHROPIC_WEBHOOK_SIGNING_KEY is not set");

  std::ifstream file;
  if (!arguments.empty()) file = opened(arguments[0]);
  Request request = read_request(content_of(arguments.empty() ? std::cin : file));
  if (body_path) {
    file = opened(*body_path);
    request.body = content_of(file);
  }

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
  std::cout << "verified, but not an event: " << e.what() << '\n';
  return 1;
} catch (const std::exception& e) {
  std::cerr << "diagnose: " << e.what() << '\n';
  return 2;
}
