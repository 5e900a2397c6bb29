// SPDX-License-Identifier: MIT
#include <anthropic/webhooks/verify.hpp>

#include <microhttpd.h>
#include <netinet/in.h>
#include <unistd.h>

#include <iostream>

using namespace anthropic::webhooks;

const WebhookVerifier verifier(std::getenv("ANTHROPIC_WEBHOOK_SIGNING_KEY"));

// Called with the head, then with each piece of the body, then at the end.
MHD_Result handle(void*, MHD_Connection* connection, const char*, const char*, const char*, const char* piece,
                  std::size_t* size, void** state) {
  if (*state == nullptr) return *state = new std::string, MHD_YES;
  std::string& body = *static_cast<std::string*>(*state);
  if (*size > 0) return body.append(piece, std::exchange(*size, 0)), MHD_YES;
  WebhookError error;
  const auto event = verifier.try_unwrap(
      body, [&](const char* name) { return MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name); },
      error);
  MHD_Response* const response = MHD_create_response_from_buffer(0, nullptr, MHD_RESPMEM_PERSISTENT);
  const auto status = static_cast<unsigned>(event ? 204 : error.http_status());
  const MHD_Result result = MHD_queue_response(connection, status, response);
  return MHD_destroy_response(response), result;
}
void forget(void*, MHD_Connection*, void** p, MHD_RequestTerminationCode) { delete static_cast<std::string*>(*p); }

int main() {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  auto* daemon =
      MHD_start_daemon(MHD_USE_INTERNAL_POLLING_THREAD, 0, nullptr, nullptr, handle, nullptr, MHD_OPTION_SOCK_ADDR,
                       &address, MHD_OPTION_NOTIFY_COMPLETED, forget, nullptr, MHD_OPTION_END);
  std::cout << MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_BIND_PORT)->port << std::endl;
  pause();
}
