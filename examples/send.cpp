// SPDX-License-Identifier: MIT
// Sends signed deliveries, as the service does, and prints the answers. `send --help` says how to call it.
#include "command_line.hpp"
#include "delivery.hpp"

#include <httplib.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <exception>
#include <iostream>
#include <random>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

const char* const usage = "usage: send [--tamper] [--age SECONDS] [--retry SECONDS] URL[,URL...] EVENT...";
const char* const help = R"(
Signs each EVENT with the first secret in ANTHROPIC_WEBHOOK_SIGNING_KEY, posts it to the URL, and prints the status of
the answer.

URL    Several URLs take turns. A port alone means http://127.0.0.1:PORT/webhooks.
EVENT  An event type, such as session.status_idled, for which send generates an event; `all`, for one event of every
       type; or a file with a body.

--tamper         Changes each body after signing it.
--age SECONDS    Backdates the signature. By default, a verifier accepts up to 300 seconds.
--retry SECONDS  Makes up to three attempts, like the service. It waits one to two times SECONDS before the second,
                 and five to ten times SECONDS before the third; 5 is close to the service.

The exit status is 0 if every event was answered with 2xx, 1 if one was not, and 2 for any other error.
)";

// Makes one attempt. Returns the status of the answer, or the error.
std::string post(const std::string& url, const httplib::Headers& headers, const std::string& body) {
  const auto path_at = std::min(url.find('/', url.find("//") + 2), url.size());
  httplib::Client client(url.substr(0, path_at));
  const auto result =
      client.Post(path_at < url.size() ? url.substr(path_at) : "/", headers, body, "application/json");
  return result ? std::to_string(result->status) : "no answer (" + to_string(result.error()) + ")";
}

int main(int argc, char** argv) try {
  std::vector<std::string> arguments(argv + 1, argv + argc), urls;
  if (take_flag(arguments, "--help")) {
    std::cout << usage << '\n' << help;
    return 0;
  }
  const bool tamper = take_flag(arguments, "--tamper");
  const std::chrono::duration<double> age(take_seconds(arguments, "--age").value_or(0));
  const auto retry = take_seconds(arguments, "--retry");
  if (arguments.size() < 2 || arguments[0].compare(0, 2, "--") == 0) throw std::runtime_error(usage);
  std::istringstream list(arguments[0]);
  for (std::string url; std::getline(list, url, ',');) {
    const bool is_port = url.find_first_not_of("0123456789") == std::string::npos;
    urls.push_back(is_port ? "http://127.0.0.1:" + url + "/webhooks" : url);
  }
  arguments.erase(arguments.begin());
  const auto deliveries = deliveries_of(arguments);
  const auto signer = signer_from_environment();

#ifdef SIGPIPE
  std::signal(SIGPIPE, SIG_IGN);  // a receiver that dies midway is a result, too
#endif
  std::minstd_rand random(std::random_device{}());
  std::size_t next_url = random() % urls.size();

  bool good = true;
  for (const auto& [name, id, body] : deliveries) {
    std::string line = name + ":";
    bool accepted = false;
    for (int attempt = 1; attempt <= (retry ? 3 : 1) && !accepted; ++attempt) {
      if (attempt > 1) {
        std::this_thread::sleep_for(std::chrono::duration<double>(*retry) * (attempt == 3 ? 5 : 1) *
                                    std::uniform_real_distribution(1., 2.)(random));
      }
      const auto signed_at =
          std::chrono::system_clock::now() - std::chrono::duration_cast<std::chrono::system_clock::duration>(age);
      const auto headers = signer.signed_headers(id, body, signed_at);
      const auto status =
          post(urls[next_url++ % urls.size()], {headers.begin(), headers.end()}, tamper ? body + ' ' : body);
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
