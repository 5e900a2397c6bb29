// SPDX-License-Identifier: MIT
#include "verification.hpp"

#include "harness.hpp"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/params.h>
#include <anthropic/webhooks/verify.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace webhooks = anthropic::webhooks;

namespace {

using digest = std::array<unsigned char, 32>;

const unsigned char* bytes(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }

digest finish(EVP_MAC_CTX* context, std::string_view message) {
  digest result;
  std::size_t size = 0;
  if (EVP_MAC_update(context, bytes(message), message.size()) != 1 ||
      EVP_MAC_final(context, result.data(), &size, result.size()) != 1) {
    throw std::runtime_error("OpenSSL failed");
  }
  return result;
}

EVP_MAC_CTX* prepared_context(std::string_view key) {
  EVP_MAC* const mac = EVP_MAC_fetch(nullptr, "HMAC", nullptr);
  EVP_MAC_CTX* const context = EVP_MAC_CTX_new(mac);
  EVP_MAC_free(mac);
  char sha256[] = "SHA256";
  const std::array parameters{OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, sha256, 0),
                              OSSL_PARAM_construct_end()};
  if (EVP_MAC_init(context, bytes(key), key.size(), parameters.data()) != 1)
    throw std::runtime_error("OpenSSL failed");
  return context;
}

/// Has the allocations of OpenSSL, which do not go through operator new, counted with the others.
void count_openssl_allocations() {
  CRYPTO_set_mem_functions(
      [](std::size_t size, const char*, int) { return ++allocations::count, std::malloc(size); },
      [](void* memory, std::size_t size, const char*, int) {
        return ++allocations::count, std::realloc(memory, size);
      },
      [](void* memory, const char*, int) { std::free(memory); });
}

}  // namespace

void print_verification(std::string_view body) {
  count_openssl_allocations();
  constexpr std::string_view key = "0123456789abcdef01234567";
  const auto verifier = webhooks::WebhookVerifier::from_raw_key(key);
  const std::chrono::system_clock::time_point now{std::chrono::seconds{1773568800}};
  const std::string signature = verifier.sign("msg_2KWPBgLlAfxdpx2AI54pPJ85f4W", now, body);
  const webhooks::WebhookHeaders headers{"msg_2KWPBgLlAfxdpx2AI54pPJ85f4W", "1773568800", signature};
  const std::multimap<std::string, std::string> map{{"Accept", "*/*"},
                                                    {"Content-Length", std::to_string(body.size())},
                                                    {"Content-Type", "application/json"},
                                                    {"Host", "example.com"},
                                                    {"User-Agent", "a sender"},
                                                    {"Webhook-Id", std::string(headers.id)},
                                                    {"Webhook-Signature", signature},
                                                    {"Webhook-Timestamp", "1773568800"}};
  const auto lookup = [&headers](std::string_view name) {
    return std::string(name == "webhook-id"          ? headers.id
                       : name == "webhook-timestamp" ? headers.timestamp
                                                     : headers.signature);
  };

  std::string message;  // already in one piece, which a receiver's is not
  message.append(std::string_view(headers.id))
      .append(".")
      .append(std::string_view(headers.timestamp))
      .append(".")
      .append(body);
  EVP_MAC_CTX* const context = prepared_context(key);
  EVP_MAC_CTX* const original = prepared_context(key);

  const auto finish_again = [&message](EVP_MAC_CTX* with) {
    if (EVP_MAC_init(with, nullptr, 0, nullptr) != 1) throw std::runtime_error("OpenSSL failed");
    return finish(with, message);
  };
  const auto reinitialised = [&] { return finish_again(context); };
  const auto duplicated = [&] {
    EVP_MAC_CTX* const copy = EVP_MAC_CTX_dup(original);
    const digest result = finish(copy, message);
    EVP_MAC_CTX_free(copy);
    return result;
  };
  const auto one_shot = [&] {
    digest result;
    unsigned size = 0;
    HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), bytes(message), message.size(), result.data(),
         &size);
    return result;
  };
  if (reinitialised() != one_shot() || duplicated() != one_shot() || reinitialised() != one_shot()) {
    throw std::runtime_error("the ways to make an HMAC disagree");
  }

  const std::vector<harness::row> rows{
      harness::make_row("OpenSSL HMAC, prepared context reused", reinitialised),
      harness::make_row("OpenSSL HMAC, prepared context copied", duplicated),
      harness::make_row("OpenSSL HMAC(), one-shot", one_shot),
      harness::make_row("verify", [&] { return verifier.verify(body, headers, now); }),
      harness::make_row("verify, headers of a map of 8", [&] { return verifier.verify(body, map, now); }),
      harness::make_row("verify, lookup that returns strings", [&] { return verifier.verify(body, lookup, now); }),
      harness::make_row("verify, and then unwrap",
                        [&] {
                          harness::keep(verifier.verify(body, headers, now));
                          return webhooks::unwrap(body);
                        }),
      harness::make_row("verifier.unwrap", [&] { return verifier.unwrap(body, headers, now); })};
  const auto results = harness::measure(rows);
  std::printf("\n%-42s %8s %10s %12s\n", "Verification", "ns", "x HMAC", "allocations");
  for (std::size_t i = 0; i < rows.size(); ++i) {
    std::printf("%-42s %8.0f %10.2f %12.0f\n", rows[i].name.c_str(), results[i].ns, results[i].ns / results[0].ns,
                results[i].allocations);
  }
  std::printf("verify takes %.2f times the HMAC (goal 1.2).\n", results[3].ns / results[0].ns);
  std::printf("verifier.unwrap takes %.2f times the sum of its parts (goal 1.05).\n",
              results[7].ns / results[6].ns);

  // Two threads with a context each are what the machine has to give.
  const auto repeat = [](const auto& f) {
    return [&f](std::size_t times) {
      for (; times > 0; --times) harness::keep(f());
    };
  };
  const auto alongside = [&repeat](const auto& f, const auto& other) {
    return [&](std::size_t times) {
      std::thread thread(repeat(other), times);
      repeat(f)(times);
      thread.join();
    };
  };
  const auto verify = [&] { return verifier.verify(body, headers, now); };
  const auto with_other_context = [&] { return finish_again(original); };
  const auto threads = harness::measure({{"verify, one thread", repeat(verify)},
                                         {"verify, two threads", alongside(verify, verify)},
                                         {"HMAC, one thread", repeat(reinitialised)},
                                         {"HMAC, two threads", alongside(reinitialised, with_other_context)}},
                                        1, std::chrono::milliseconds{2});
  std::printf(
      "Two threads with one verifier verify %.2f times as many bodies as one; of HMACs, with a context each,\n"
      "they make %.2f times as many.\n",
      2 * threads[0].ns / threads[1].ns, 2 * threads[2].ns / threads[3].ns);
  EVP_MAC_CTX_free(original);
  EVP_MAC_CTX_free(context);
}
