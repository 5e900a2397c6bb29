// SPDX-License-Identifier: MIT
#include <anthropic/webhooks/verify.hpp>

#include <restinio/all.hpp>

#include <cstdint>
#include <cstdlib>
#include <iostream>

using namespace anthropic::webhooks;

int main() {
  const WebhookVerifier verifier(std::getenv("ANTHROPIC_WEBHOOK_SIGNING_KEY"));
  const auto handle = [&](const restinio::request_handle_t& request) {
    WebhookError error;
    const auto event = verifier.try_unwrap(
        request->body(), [&](const char* name) { return request->header().try_get_field(name); }, error);
    const auto status = static_cast<std::uint16_t>(event ? 204 : error.http_status());
    return request->create_response({restinio::http_status_code_t(status), ""}).done();
  };
  restinio::run(restinio::on_this_thread()
                    .address("127.0.0.1")
                    .port(0)
                    .acceptor_post_bind_hook(
                        [](auto& acceptor) { std::cout << acceptor.local_endpoint().port() << std::endl; })
                    .request_handler(handle));
}
