// SPDX-License-Identifier: MIT
// libmicrohttpd does not limit bodies, so handle() keeps only the first 1 MiB. It still reads to the end, since it
// can only answer then.
#include <anthropic/webhooks/verify.hpp>

#include <microhttpd.h>
#include <netinet/in.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <stdexcept>
#include <string>

using namespace anthropic::webhooks;

constexpr std::size_t limit = 1 << 20;

// Returns the status to answer with.
int receive(const WebhookVerifier& verifier, const std::string& body, MHD_Connection* connection) {
  if (body.size() > limit) return 413;
  if (MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Content-Encoding") != nullptr) return 415;
  WebhookError error;
  const auto event = verifier.try_unwrap(
      body, [&](const char* name) { return MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name); },
      error);
  if (!event) {
    std::cerr << error.what() << std::endl;
    return error.http_status();
  }
  std::cout << event_type(event->data) << std::endl;  // handle it here
  return 204;
}

// Called with the head, then with each piece of the body, then at the end.
MHD_Result handle(void* verifier, MHD_Connection* connection, const char*, const char*, const char*,
                  const char* piece, std::size_t* size, void** state) {
  if (*state == nullptr) return *state = new std::string, MHD_YES;
  std::string& body = *static_cast<std::string*>(*state);
  if (*size > 0) {
    body.append(piece, std::min(*size, limit + 1 - body.size()));
    *size = 0;
    return MHD_YES;
  }
  const int status = receive(*static_cast<const WebhookVerifier*>(verifier), body, connection);
  MHD_Response* const response = MHD_create_response_from_buffer(0, nullptr, MHD_RESPMEM_PERSISTENT);
  const MHD_Result result = MHD_queue_response(connection, static_cast<unsigned>(status), response);
  return MHD_destroy_response(response), result;
}
void forget(void*, MHD_Connection*, void** p, MHD_RequestTerminationCode) { delete static_cast<std::string*>(*p); }

int main(int argc, char** argv) try {
  WebhookVerifier verifier(std::getenv("ANTHROPIC_WEBHOOK_SIGNING_KEY"));
  const auto port = static_cast<std::uint16_t>(argc > 1 ? std::stoi(argv[1]) : 8080);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  const auto* const daemon = MHD_start_daemon(
      MHD_USE_INTERNAL_POLLING_THREAD, 0, nullptr, nullptr, handle, &verifier, MHD_OPTION_SOCK_ADDR, &address,
      MHD_OPTION_NOTIFY_COMPLETED, forget, nullptr, MHD_OPTION_CONNECTION_TIMEOUT, 30U, MHD_OPTION_END);
  if (daemon == nullptr) throw std::runtime_error("cannot listen on this port");
  std::cout << "listening on http://localhost:" << port << "/webhooks" << std::endl;
  pause();
} catch (const std::exception& e) {
  std::cerr << e.what() << std::endl;
  return 1;
}
