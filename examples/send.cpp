// SPDX-License-Identifier: MIT
// Signs the body in each file with the secret in ANTHROPIC_WEBHOOK_SIGNING_KEY, sends it, and prints the answer.
//
//   send [--tamper] URL file...
//
// A port alone stands for http://127.0.0.1:port/webhooks. --tamper changes each body after it is signed.
// The exit status is 1 if any answer was not 2xx.
#include <anthropic/webhooks/verify.hpp>

#include <httplib.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <exception>
#include <fstream>
#include <iostream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <vector>

int main(int argc, char** argv) try {
  std::vector<std::string> files(argv + 1, argv + argc);
  const bool tamper = !files.empty() && files[0] == "--tamper";
  if (tamper) files.erase(files.begin());
  if (files.size() < 2) throw std::runtime_error("usage: send [--tamper] URL file...");
  const bool is_port = files[0].find_first_not_of("0123456789") == std::string::npos;
  const std::string url = is_port ? "http://127.0.0.1:" + files[0] + "/webhooks" : files[0];
  files.erase(files.begin());

  const char* keys = std::getenv("ANTHROPIC_WEBHOOK_SIGNING_KEY");
  const std::string secrets = keys ? keys : "";
  const anthropic::webhooks::WebhookVerifier signer(secrets.substr(0, secrets.find(',')));
  const auto path_at = std::min(url.find('/', url.find("//") + 2), url.size());
  httplib::Client client(url.substr(0, path_at));

  bool good = true;
  for (const auto& file : files) {
    std::ifstream in(file, std::ios::binary);
    if (!in) throw std::runtime_error("cannot read " + file);
    std::string body{std::istreambuf_iterator<char>(in), {}};
    const auto now = std::chrono::system_clock::now();
    const auto seconds = std::chrono::floor<std::chrono::seconds>(now.time_since_epoch()).count();
    const std::string id = "msg_" + std::to_string(now.time_since_epoch().count());
    const httplib::Headers headers{{"webhook-id", id},
                                   {"webhook-timestamp", std::to_string(seconds)},
                                   {"webhook-signature", signer.sign(id, now, body)}};
    if (tamper) body += ' ';
    const auto result = client.Post(url.substr(path_at), headers, body, "application/json");
    std::cout << file << ": " << (result ? std::to_string(result->status) : to_string(result.error()))
              << std::endl;
    good = good && result && result->status / 100 == 2;
  }
  return good ? 0 : 1;
} catch (const std::exception& e) {
  std::cerr << "send: " << e.what() << '\n';
  return 2;
}
