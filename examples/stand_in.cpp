// SPDX-License-Identifier: MIT
// Stands in for the service's API, to try out and test fetch. It prints its port, and then a line per request. It
// has every object, and checks the headers like the service; the key must be ANTHROPIC_API_KEY. Some IDs get other
// answers: status_N gets the status N.
#include <httplib.h>

#include <nlohmann/json.hpp>

#include <chrono>
#include <cstdlib>
#include <iostream>
#include <string>
#include <thread>

std::string beta_of(const std::string& path) {
  const struct {
    const char *start, *beta;
  } rows[] = {
      {"/v1/organizations/external_keys/", ""},
      {"/v1/organizations/external_storage/", "efs-2026-10-01"},
      {"/v1/memory_stores/", "agent-memory-2026-07-22"},
      {"/v1/user_profiles/", "user-profiles-2026-08-18"},
  };
  for (const auto& row : rows) {
    if (path.rfind(row.start, 0) == 0) return row.beta;
  }
  return "managed-agents-2026-04-01";
}

int status_of(const httplib::Request& request, const std::string& key, const std::string& id) {
  if (request.get_header_value("x-api-key") != key) return 401;
  if (request.get_header_value("anthropic-version") != "2023-06-01") return 400;
  if (request.get_header_value("anthropic-beta") != beta_of(request.path)) return 400;
  return id.rfind("status_", 0) == 0 ? std::stoi(id.substr(7)) : 200;
}

int main() {
  const char* const key = std::getenv("ANTHROPIC_API_KEY");
  httplib::Server server;
  server.Get(R"([\s\S]*)", [&](const httplib::Request& request, httplib::Response& response) {
    const std::string id = request.target.substr(request.target.rfind('/') + 1);
    response.status = status_of(request, key ? key : "", id);
    std::cout << response.status << ' ' << request.target << std::endl;
    if (response.status == 429 || response.status == 503) response.set_header("Retry-After", "7");
    if (response.status / 100 == 3) response.set_header("Location", "/v1/sessions/redirected");
    if (id == "silent") std::this_thread::sleep_for(std::chrono::seconds(30));
    if (id == "large" || id == "dripping") {  // endless
      const auto pause = std::chrono::milliseconds(id == "dripping" ? 500 : 0);
      response.set_chunked_content_provider("application/json", [pause](std::size_t, httplib::DataSink& sink) {
        std::this_thread::sleep_for(pause);
        const std::string piece(65536, ' ');
        return sink.write(piece.data(), pause.count() > 0 ? 1 : piece.size());
      });
    } else if (id == "cut") {  // ends too early
      response.set_content_provider(100, "application/json",
                                    [](std::size_t, std::size_t, httplib::DataSink& sink) {
                                      sink.write("{", 1);
                                      return false;
                                    });
    } else {
      const nlohmann::json object = {{"id", id}, {"status", "idle"}};
      response.set_content(id == "text" ? "<html>" : object.dump(), "application/json");
    }
  });
  std::cout << server.bind_to_any_port("127.0.0.1") << std::endl;
  server.listen_after_bind();
}
