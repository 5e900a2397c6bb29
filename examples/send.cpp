// SPDX-License-Identifier: MIT
// Signs the body in each file with the secret in ANTHROPIC_WEBHOOK_SIGNING_KEY, sends it, and prints the answer.
//
//   send [--tamper] [--retry SECONDS] URL[,URL...] file...
//
// A port alone stands for http://127.0.0.1:port/webhooks. Several URLs take turns. --tamper changes each body
// after it is signed. --retry makes up to three attempts, as the service does. The second comes one to two times
// SECONDS after the first, and the third five to ten times SECONDS after the second. 5 is about what the service
// does. The exit status is 1 if a delivery did not end with a 2xx, and 2 for any other error.
#include <anthropic/webhooks/verify.hpp>

#include <httplib.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <exception>
#include <fstream>
#include <iostream>
#include <iterator>
#include <random>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

using namespace anthropic::webhooks;

// One attempt. Returns the status of the answer, or what there was instead.
std::string post(const std::string& url, const httplib::Headers& headers, const std::string& body) {
  const auto path_at = std::min(url.find('/', url.find("//") + 2), url.size());
  httplib::Client client(url.substr(0, path_at));
  const auto result =
      client.Post(path_at < url.size() ? url.substr(path_at) : "/", headers, body, "application/json");
  return result ? std::to_string(result->status) : "no answer (" + to_string(result.error()) + ")";
}

// The service sends the event's id as the webhook-id. A body that is not an event has none.
std::string id_of(const std::string& body) {
  WebhookError error;
  const auto event = try_unwrap(body, error);
  return event ? event->id : "msg_" + std::to_string(std::chrono::system_clock::now().time_since_epoch().count());
}

int main(int argc, char** argv) try {
  std::vector<std::string> files(argv + 1, argv + argc), urls;
  bool tamper = false;
  int attempts = 1;
  std::chrono::duration<double> pause{};
  for (; !files.empty() && files[0].compare(0, 2, "--") == 0; files.erase(files.begin())) {
    if (files[0] == "--tamper") {
      tamper = true;
    } else if (files[0] == "--retry" && files.size() > 1) {
      attempts = 3;
      pause = std::chrono::duration<double>(std::stod(files[1]));
      files.erase(files.begin());
    } else {
      files.clear();
      break;
    }
  }
  if (files.size() < 2) throw std::runtime_error("usage: send [--tamper] [--retry SECONDS] URL[,URL...] file...");
  std::istringstream list(files[0]);
  for (std::string url; std::getline(list, url, ',');) {
    const bool is_port = url.find_first_not_of("0123456789") == std::string::npos;
    urls.push_back(is_port ? "http://127.0.0.1:" + url + "/webhooks" : url);
  }
  files.erase(files.begin());

#ifdef SIGPIPE
  std::signal(SIGPIPE, SIG_IGN);  // if a receiver ends in the middle, that is a result too
#endif
  const char* keys = std::getenv("ANTHROPIC_WEBHOOK_SIGNING_KEY");
  const std::string secrets = keys ? keys : "";
  const WebhookVerifier signer(secrets.substr(0, secrets.find(',')));
  std::minstd_rand random(std::random_device{}());
  std::size_t next_url = random() % urls.size();

  bool good = true;
  for (const auto& file : files) {
    std::ifstream in(file, std::ios::binary);
    if (!in) throw std::runtime_error("cannot read " + file);
    const std::string body{std::istreambuf_iterator<char>(in), {}}, id = id_of(body);
    std::string line = file + ":";
    bool accepted = false;
    for (int attempt = 1; attempt <= attempts && !accepted; ++attempt) {
      if (attempt > 1) {
        std::this_thread::sleep_for(pause * (attempt == 3 ? 5 : 1) *
                                    std::uniform_real_distribution(1., 2.)(random));
      }
      const auto now = std::chrono::system_clock::now();
      const httplib::Headers headers{
          {"webhook-id", id},
          {"webhook-timestamp", std::to_string(std::chrono::system_clock::to_time_t(now))},
          {"webhook-signature", signer.sign(id, now, body)}};
      const auto status = post(urls[next_url++ % urls.size()], headers, tamper ? body + ' ' : body);
      accepted = status[0] == '2';
      line += ' ' + status;
    }
    std::cout << line << std::endl;
    good = good && accepted;
  }
  return good ? 0 : 1;
} catch (const std::exception& e) {
  std::cerr << "send: " << e.what() << '\n';
  return 2;
}
