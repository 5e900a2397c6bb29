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

/// Counts the allocations of OpenSSL too, which bypass operator new.
void count_openssl_allocations() {
  CRYPTO_set_mem_functions(
      [](std::size_t size, const char*, int) { return ++allocations::count, std::malloc(size); },
      [](void* memory, std::size_t size, const char*, int) {
        return ++allocations::count, std::realloc(memory, size);
      },
      [](void* memory, const char*, int) { std::free(memory); });
}

}  // namespace

using header_map = std::map<std::string, std::string>;

/// The headers of a signed request as a server has them.
header_map headers_of(const webhooks::WebhookVerifier& signer, std::string_view id, std::string_view body,
                      std::chrono::system_clock::time_point now) {
  header_map headers{{"Accept", "*/*"},
                     {"Content-Length", std::to_string(body.size())},
                     {"Content-Type", "application/json"},
                     {"Host", "example.com"},
                     {"User-Agent", "a sender"}};
  const auto signed_headers = signer.signed_headers(id, body, now);
  headers.insert(signed_headers.begin(), signed_headers.end());
  return headers;
}

struct delivery_row {
  std::string name, body;
  header_map headers;
  double goal;  // of the time, as a multiple of the genuine delivery's
};

/// Prints the cost of a whole delivery, from its headers and body to an event or an error.
void print_deliveries(std::string_view key, std::string_view id, const std::string& body,
                      std::chrono::system_clock::time_point now, const harness::row& hmac) {
  const auto verifier = webhooks::WebhookVerifier::from_raw_key(key);
  const auto stranger = webhooks::WebhookVerifier::from_raw_key(std::string_view("the key of another"));
  const auto genuine = headers_of(verifier, id, body, now);
  auto without = genuine;
  for (const char* name : {"webhook-id", "webhook-timestamp", "webhook-signature"}) without.erase(name);
  std::string lacking = body;
  lacking.replace(lacking.find("created_at"), 10, "created_on");
  const std::string broken = body.substr(0, body.size() - 1), large(1 << 20, '[');
  auto long_list = genuine;
  for (int i = 0; i < 1000; ++i) long_list["webhook-signature"] += " v1," + std::string(44, 'A');

  constexpr double none = 0;
  const std::vector<delivery_row> deliveries{
      {"genuine", body, genuine, none},
      {"forged", body, headers_of(stranger, id, body, now), 1.2},
      {"no headers", body, without, 0.8},
      {"too old", body, headers_of(verifier, id, body, now - std::chrono::hours{1}), 0.8},
      {"not JSON, and not signed by us", broken, headers_of(stranger, id, broken, now), none},
      {"not JSON, signed by us", broken, headers_of(verifier, id, broken, now), none},
      {"a field is missing, signed by us", lacking, headers_of(verifier, id, lacking, now), none},
      {"forged, a body of 1 MiB", large, headers_of(stranger, id, large, now), none},
      {"genuine, and 1000 more signatures", body, long_list, none}};
  std::vector<harness::row> rows{hmac};
  for (const auto& delivery : deliveries) {
    rows.push_back(harness::make_row(delivery.name, [&verifier, &delivery, now] {
      webhooks::WebhookError error;
      return verifier.try_unwrap(delivery.body, delivery.headers, error, now);
    }));
  }
  // The same without verification, since the hash costs the same whatever is wrong with the body.
  for (const auto& [name, text] :
       {std::pair("not JSON, only parsed", broken), {"a field is missing, only parsed", lacking}}) {
    rows.push_back(harness::make_row(name, [text = text] {
      webhooks::WebhookError error;
      return webhooks::try_unwrap(text, error);
    }));
  }
  const auto results = harness::measure(rows);
  std::printf("\n%-42s %8s %10s %10s %8s %12s\n", "A delivery: verifier.try_unwrap()", "ns", "x HMAC", "x genuine",
              "goal", "allocations");
  for (std::size_t i = 0; i < rows.size(); ++i) {
    char goal[16] = "";
    const double its_goal = i > deliveries.size() ? 0.8 : i == 0 ? none : deliveries[i - 1].goal;
    if (its_goal > none) std::snprintf(goal, sizeof goal, "<= %.1f", its_goal);
    std::printf("%-42s %8.0f %10.2f %10.2f %8s %12.0f\n", rows[i].name.c_str(), results[i].ns,
                results[i].ns / results[0].ns, results[i].ns / results[1].ns, goal, results[i].allocations);
  }
  std::printf("A genuine delivery takes %.2f times as long as the HMAC (goal 1.7).\n",
              results[1].ns / results[0].ns);
}

void print_verification(std::string_view body) {
  count_openssl_allocations();
  constexpr std::string_view key = "0123456789abcdef01234567";
  const auto verifier = webhooks::WebhookVerifier::from_raw_key(key);
  const std::chrono::system_clock::time_point now{std::chrono::seconds{1773568800}};
  constexpr std::string_view id = "whe_0f1e2d3c4b5a69788796a5b4c3d2e1f0";
  const auto map = headers_of(verifier, id, body, now);
  const auto& signature = map.at("webhook-signature");
  const webhooks::WebhookHeaders headers{id, "1773568800", signature};
  webhooks::detail::openssl_fault fault;
  const auto key_hmac = webhooks::detail::hmac_sha256::make(key, fault);
  const auto lookup = [&map](const char* name) { return map.at(name); };

  std::string message;  // already in one piece, unlike a receiver's
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
      harness::make_row("the library's HMAC",
                        [&] {
                          webhooks::detail::hmac_sha256::digest result;
                          if (key_hmac->sign({message}, result)) throw std::runtime_error("OpenSSL failed");
                          return result;
                        }),
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
  std::printf("The library's HMAC takes %.2f times as long as OpenSSL's with a reused context (goal 1.1).\n",
              results[3].ns / results[0].ns);
  print_deliveries(key, id, std::string(body), now, rows[0]);

  // Two threads with a context each show what the machine can do.
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
      "\nTwo threads that share a verifier verify %.2f times as many bodies as one. With an HMAC context each,\n"
      "they make %.2f times as many HMACs (goal 1.7).\n",
      2 * threads[0].ns / threads[1].ns, 2 * threads[2].ns / threads[3].ns);
  EVP_MAC_CTX_free(original);
  EVP_MAC_CTX_free(context);
}
