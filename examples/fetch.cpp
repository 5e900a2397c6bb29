// SPDX-License-Identifier: MIT
// Fetches the object that an event is about, since the event has only its type and IDs. `fetch --help` says how to
// call it.
//
// A handler of the receiver calls Api::get() before it writes, so that it does not lock SQLite meanwhile.
#include "command_line.hpp"

#include <anthropic/webhooks.hpp>

#include <curl/curl.h>
#include <nlohmann/json.hpp>

#include <cstddef>
#include <cstdlib>
#include <exception>
#include <fstream>
#include <iostream>
#include <iterator>
#include <memory>
#include <new>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

using namespace anthropic::webhooks;

const char* const help = R"(usage: fetch [FILE...]

Fetches the object that each event is about, and prints its status. Each FILE, or standard input, is a body as the
service sent it, such as one that the receiver recorded:

  sqlite3 webhooks.db "SELECT body FROM webhook_events WHERE id = 'whe_...'" | fetch

ANTHROPIC_API_KEY is the API key. ANTHROPIC_BASE_URL replaces the service's own address, for a gateway or for stand_in.

The exit status is 0 if every object was fetched or is gone, 1 if one could not be fetched, and 2 if nothing was tried.
)";

// One connection to the API, for one thread at a time.
class Api {
 public:
  Api(const std::string& base_url, std::string key) : key_(std::move(key)) {
    if (key_.empty() || key_.find_first_of("\r\n") != std::string::npos) {
      throw std::runtime_error("ANTHROPIC_API_KEY is not set, or has a line break");
    }
    const std::unique_ptr<CURLU, void (*)(CURLU*)> url(curl_url(), curl_url_cleanup);
    const auto part = [&](CURLUPart which) {
      char* text = nullptr;
      const bool good = curl_url_get(url.get(), which, &text, 0) == CURLUE_OK;
      const std::unique_ptr<char, void (*)(void*)> owner(text, curl_free);
      return std::string(good ? text : "");
    };
    if (base_url.find_first_of("?#") != std::string::npos ||
        curl_url_set(url.get(), CURLUPART_URL, base_url.c_str(), 0) != CURLUE_OK) {
      throw std::runtime_error("ANTHROPIC_BASE_URL is not a URL to which a path can be added");
    }
    const std::string host = part(CURLUPART_HOST);
    is_local_ = host == "localhost" || host == "127.0.0.1" || host == "[::1]";
    if (part(CURLUPART_SCHEME) != "https" && !(is_local_ && part(CURLUPART_SCHEME) == "http")) {
      throw std::runtime_error("ANTHROPIC_BASE_URL is not https, so the key would not be secret");
    }
    base_url_ = part(CURLUPART_URL);
    base_url_.erase(base_url_.find_last_not_of('/') + 1);
  }

  // Returns nothing if the object is gone, which is normal: it was deleted after the event. Throws
  // std::runtime_error for any other answer. If a handler throws, the receiver keeps the event and retries later.
  std::optional<nlohmann::json> get(const WebhookResource& resource) {
    const Headers headers = headers_of(resource);
    std::string answer;
    CURL* const curl = curl_.get();
    if (!curl) throw std::runtime_error("libcurl does not work");
    curl_easy_reset(curl);
    curl_easy_setopt(curl, CURLOPT_URL, (base_url_ + resource.path).c_str());
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers.get());
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, &append);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &answer);
    curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);  // the key is only for this host
    if (is_local_) curl_easy_setopt(curl, CURLOPT_PROXY, "");
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, 5L);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, 10L);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);  // which threads need

    const CURLcode failure = curl_easy_perform(curl);
    if (failure != CURLE_OK) throw std::runtime_error(resource.path + ": " + curl_easy_strerror(failure));
    long status = 0;
    curl_off_t wait = 0;
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(curl, CURLINFO_RETRY_AFTER, &wait);  // sent with 429 and with some 5xx
    if (status == 404) return std::nullopt;
    if (status != 200) {
      throw std::runtime_error(resource.path + ": status " + std::to_string(status) +
                               (wait > 0 ? ", try again in " + std::to_string(wait) + " s" : ""));
    }
    auto object = nlohmann::json::parse(answer, nullptr, false);
    if (!object.is_object()) throw std::runtime_error(resource.path + ": not a JSON object");
    return object;
  }

 private:
  using Headers = std::unique_ptr<curl_slist, void (*)(curl_slist*)>;

  [[nodiscard]] Headers headers_of(const WebhookResource& resource) const {
    Headers headers(nullptr, curl_slist_free_all);
    const auto add = [&](const std::string& line) {
      curl_slist* const longer = curl_slist_append(headers.get(), line.c_str());
      if (!longer) throw std::bad_alloc();
      static_cast<void>(headers.release());
      headers.reset(longer);
    };
    add("x-api-key: " + key_);
    add("anthropic-version: 2023-06-01");
    if (!resource.beta.empty()) add("anthropic-beta: " + std::string(resource.beta));
    return headers;
  }

  static std::size_t append(char* data, std::size_t, std::size_t size, void* to) {
    constexpr std::size_t limit = 16 << 20;
    auto& text = *static_cast<std::string*>(to);
    if (text.size() + size > limit) return 0;
    text.append(data, size);
    return size;
  }

  std::string base_url_, key_;
  bool is_local_ = false;
  std::unique_ptr<CURL, void (*)(CURL*)> curl_{curl_easy_init(), curl_easy_cleanup};
};

void print_object(Api& api, std::istream& in) {
  const std::string body{std::istreambuf_iterator<char>(in), {}};
  if (!in) throw std::runtime_error("cannot be read");
  const auto event = unwrap(body);
  std::string line = event.id + "  " + std::string(event_type(event.data)) + "  ";
  if (const auto resource = resource_of(event.data)) {
    const auto object = api.get(*resource);
    line += resource->path + "  ";
    line += !object ? "gone" : object->contains("status") ? object->at("status").dump() : object->dump();
  } else {
    line += "nothing to fetch";
  }
  std::cout << line << std::endl;
}

int main(int argc, char** argv) try {
  std::vector<std::string> files(argv + 1, argv + argc);
  if (take_flag(files, "--help")) {
    std::cout << help;
    return 0;
  }
  curl_global_init(CURL_GLOBAL_DEFAULT);
  const char* const key = std::getenv("ANTHROPIC_API_KEY");
  const char* const base_url = std::getenv("ANTHROPIC_BASE_URL");
  Api api(base_url ? base_url : "https://api.anthropic.com", key ? key : "");

  bool good = true;
  const auto try_each = [&](const std::string& name, std::istream& in) {
    try {
      print_object(api, in);
    } catch (const std::exception& e) {
      std::cerr << name << ": " << e.what() << '\n';
      good = false;
    }
  };
  if (files.empty()) try_each("standard input", std::cin);
  for (const auto& name : files) {
    std::ifstream file(name, std::ios::binary);
    try_each(name, file);
  }
  return good ? 0 : 1;
} catch (const std::exception& e) {
  std::cerr << "fetch: " << e.what() << '\n';
  return 2;
}
