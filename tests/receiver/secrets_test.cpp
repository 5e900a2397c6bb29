// SPDX-License-Identifier: MIT
// A receiver whose secrets change while it runs, as when the service regenerates them.
#include "secrets.hpp"
#include "../catch.hpp"
#include "databases.hpp"
#include "deliveries.hpp"

#include <fcntl.h>
#include <openssl/evp.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

namespace {

const std::string other_secret = "whsec_C2VsBQIhrscChlQIMV+b5sSYspob7oD+";
const std::string third_secret = "whsec_" + std::string(42, 'T') + "A=";

struct Files {
  Sqlite database;
  fs::path log = database.folder.path / "receiver.log", secrets = database.folder.path / "secrets";

  explicit Files(const std::string& text) { write(text); }
  /// Replaces the file atomically, like Kubernetes and careful people.
  void write(const std::string& text) const {
    std::ofstream(secrets.string() + ".new") << text;
    fs::rename(secrets.string() + ".new", secrets);
  }
  [[nodiscard]] Receiver::Options options() const {
    Receiver::Options options;
    options.secrets = secrets.string();
    return options;
  }
};

Secrets secrets_of(const Files& files) {
  unsetenv("ANTHROPIC_WEBHOOK_SIGNING_KEY");
  setenv("ANTHROPIC_WEBHOOK_SIGNING_KEY_FILE", files.secrets.c_str(), 1);
  Secrets secrets;
  unsetenv("ANTHROPIC_WEBHOOK_SIGNING_KEY_FILE");
  return secrets;
}

int deliver_with(const std::string& secret, int port, const std::string& id) {
  const std::string body = event(id);
  return post(port, body, signed_headers(body, id, secret));
}

}  // namespace

TEST_CASE("the secrets are in a variable, or in a file that another names") {
  const std::string separator = GENERATE("\n", "\r\n", ",", ", ", " ", "\t", "\n\n");
  const std::string both = test_secret + separator + other_secret;
  CAPTURE(separator);
  const Files files(GENERATE("", "\n", " , ") + both + separator);
  for (const bool in_file : {false, true}) {
    CAPTURE(in_file);
    Receiver::Options options;
    options.secrets = in_file ? files.secrets.string() : both;
    const Receiver receiver(files.database.where(), files.log, options);
    CHECK(deliver_with(test_secret, receiver.port, "whe_1") == 200);
    CHECK(deliver_with(other_secret, receiver.port, "whe_2") == 200);
    CHECK(deliver_with(third_secret, receiver.port, "whe_3") == 401);
    CHECK(receiver.logs(" signed with secret 1 of 2\n"));
    CHECK(receiver.logs(" signed with secret 2 of 2\n"));
    CHECK(deliver_with(other_secret, receiver.port, "whe_4") == 200);
    CHECK(receiver.logs(in_file ? " duplicate whe_4 " : " recorded whe_4 "));
    CHECK(count(receiver.log(), "signed with") == 2);
  }
}

TEST_CASE("the log says again after an hour which secret signed") {
  const Files files(test_secret);
  Secrets secrets = secrets_of(files);
  const std::string body = event("whe_1");
  const auto headers = anthropic::webhooks::WebhookVerifier(test_secret).signed_headers("whe_1", body);
  std::fflush(stdout);
  const int output = dup(STDOUT_FILENO), file = open(files.log.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
  dup2(file, STDOUT_FILENO);
  const auto start = Secrets::clock::now();
  for (const auto later : {0min, 59min, 61min, 120min, 122min}) secrets.verify(body, headers, start + later);
  the_log.line("the end");
  const bool is_written = eventually([&] { return count(contents(files.log), "the end\n") == 1; });
  dup2(output, STDOUT_FILENO);
  close(output);
  close(file);
  CHECK(is_written);
  CHECK(count(contents(files.log), " signed with secret 1 of 1\n") == 3);
}

TEST_CASE("a file of secrets that is malformed or missing is refused at the start") {
  const Files files(GENERATE("", " \n", "whsec_", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_MfKQ9r8GKYqrTwj*"));
  Process malformed(files.secrets.string(), {RECEIVER, "0", files.database.where()}, files.log);
  CHECK(malformed.wait() == 2);
  CHECK(malformed.log().find("receiver: webhook secret: ") == 0);
  CHECK(malformed.log().find("MfKQ9r8") == std::string::npos);
  fs::remove(files.secrets);
  Process missing(files.secrets.string(), {RECEIVER, "0", files.database.where()}, files.log);
  CHECK(missing.wait() == 2);
  CHECK(missing.log().find("receiver: webhook secret: cannot read the file of ANTHROPIC_WEBHOOK_SIGNING_KEY_FILE: "
                           "No such file or directory\n") == 0);
  Process not_a_file(
      "",
      {"/usr/bin/env", "ANTHROPIC_WEBHOOK_SIGNING_KEY_FILE=" + test_secret, RECEIVER, "0", files.database.where()},
      files.log);
  CHECK(not_a_file.wait() == 2);
  CHECK(not_a_file.log().find("receiver: webhook secret: cannot read the file of ") == 0);
  CHECK(not_a_file.log().find("MfKQ9r8") == std::string::npos);
  files.write(test_secret);
  Process both(
      files.secrets.string(),
      {"/usr/bin/env", "ANTHROPIC_WEBHOOK_SIGNING_KEY=" + test_secret, RECEIVER, "0", files.database.where()},
      files.log);
  CHECK(both.wait() == 2);
  CHECK(both.log().find("receiver: webhook secret: set ANTHROPIC_WEBHOOK_SIGNING_KEY or "
                        "ANTHROPIC_WEBHOOK_SIGNING_KEY_FILE, not both\n") == 0);
  CHECK_FALSE(fs::exists(files.database.where()));
}

TEST_CASE("on SIGHUP it reloads the file of secrets, but keeps its secrets if the file is malformed") {
  const Files files(test_secret);
  Receiver receiver(files.database.where(), files.log, files.options());
  const int port = receiver.port;
  CHECK(deliver_with(test_secret, port, "whe_1") == 200);
  files.write(test_secret + '\n' + other_secret + '\n');
  receiver.signal(SIGHUP);
  CHECK(receiver.logs(" secrets in the file: 2\n"));
  CHECK(deliver_with(test_secret, port, "whe_2") == 200);
  CHECK(deliver_with(other_secret, port, "whe_3") == 200);
  CHECK(receiver.logs(" signed with secret 2 of 2\n"));

  const std::string kept = "; the previous secrets stay in use\n";
  for (const std::string& text : {std::string(), other_secret + "!", std::string("sk-ant-MfKQ9r8")}) {
    CAPTURE(text);
    const auto before = count(receiver.log(), kept);
    files.write(text);
    for (std::size_t times = 1; times <= 2; ++times) {  // silence would look like success
      receiver.signal(SIGHUP);
      CHECK(eventually([&] { return count(receiver.log(), kept) == before + times; }));
    }
    CHECK(deliver_with(test_secret, port, "whe_2") == 200);
    CHECK(deliver_with(other_secret, port, "whe_3") == 200);
  }
  fs::remove(files.secrets);
  receiver.signal(SIGHUP);
  CHECK(receiver.logs("No such file or directory" + kept));
  CHECK(deliver_with(test_secret, port, "whe_2") == 200);
  files.write(other_secret);
  receiver.signal(SIGHUP);
  CHECK(receiver.logs(" secrets in the file: 1\n"));
  CHECK(deliver_with(other_secret, port, "whe_4") == 200);
  CHECK(deliver_with(test_secret, port, "whe_5") == 401);
  CHECK(receiver.logs(" signed with secret 1 of 1\n"));
  CHECK(receiver.log().find("MfKQ9r8") == std::string::npos);
  CHECK(receiver.log().find(other_secret.substr(6, 10)) == std::string::npos);

  // If the secrets are in the environment, SIGHUP does no harm.
  const Receiver without(files.database.where(), files.database.folder.path / "log");
  without.signal(SIGHUP);
  CHECK(without.logs("webhook secret: there is no file to read it from" + kept));
  CHECK(deliver_with(test_secret, without.port, "whe_6") == 200);
}

TEST_CASE("a delivery that does not verify makes it check for new secrets, once a second at most") {
  const Files files(test_secret);
  const Receiver receiver(files.database.where(), files.log, files.options());
  const int port = receiver.port;
  CHECK(deliver_with(other_secret, port, "whe_1") == 401);
  files.write(other_secret);
  CHECK(eventually([&] { return deliver_with(other_secret, port, "whe_1") == 200; }));
  CHECK(receiver.logs(" secrets in the file: 1\n"));
  CHECK(deliver_with(test_secret, port, "whe_2") == 401);
  files.write("malformed");
  CHECK(eventually(
      [&] { return deliver_with(test_secret, port, "whe_2") == 401 && count(receiver.log(), "stay") > 0; }));
  CHECK(deliver_with(other_secret, port, "whe_3") == 200);

  const int watch = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
  REQUIRE(inotify_add_watch(watch, files.secrets.c_str(), IN_OPEN) >= 0);
  const auto begin = std::chrono::steady_clock::now();
  for (int i = 0; i < 10 || std::chrono::steady_clock::now() - begin < 3s; ++i) {
    CHECK(deliver_with(third_secret, port, "whe_4") == 401);
  }
  const auto took = std::chrono::duration_cast<std::chrono::seconds>(std::chrono::steady_clock::now() - begin);
  int opened = 0;
  for (inotify_event each{}; read(watch, &each, sizeof each) == sizeof each;) ++opened;
  close(watch);
  CHECK(opened >= 1);
  CHECK(opened <= took.count() + 2);
  CHECK(count(receiver.log(), "stay") == 1);  // the same malformed file is not reported again
}

TEST_CASE("a file that is not regular is read only once, at the start") {
  const Files files(test_secret);
  const bool is_pipe = GENERATE(true, false);
  const auto make_fifo = [&] {
    fs::remove(files.secrets);
    REQUIRE(mkfifo(files.secrets.c_str(), 0600) == 0);
  };
  std::thread writer;
  if (is_pipe) {
    make_fifo();
    writer = std::thread([&] { std::ofstream(files.secrets) << test_secret; });
  }
  const Receiver receiver(files.database.where(), files.log, files.options());
  is_pipe ? writer.join() : make_fifo();
  const std::string once = "webhook secret: ANTHROPIC_WEBHOOK_SIGNING_KEY_FILE is not a regular file";
  CHECK(count(receiver.log(), once + ", and is not read again\n") == (is_pipe ? 1 : 0));
  for (int i = 0; i < 2; ++i) {
    CHECK(deliver_with(other_secret, receiver.port, "whe_1") == 401);
    CHECK(deliver_with(test_secret, receiver.port, "whe_1") == 200);
    receiver.signal(SIGHUP);
    CHECK(receiver.logs(once + "; the previous secrets stay in use\n"));
  }
}

TEST_CASE("a reload that fails for a while is tried again") {
  const Files files(test_secret);
  Secrets secrets = secrets_of(files);
  const std::string body = event("whe_1");
  const auto verifies = [&](const std::string& secret) {
    secrets.verify(body, anthropic::webhooks::WebhookVerifier(secret).signed_headers("whe_1", body), {});
    return true;
  };
  files.write(other_secret);
  REQUIRE(EVP_set_default_properties(nullptr, "provider=none") == 1);  // OpenSSL fails
  CHECK_FALSE(secrets.reload(false));
  REQUIRE(EVP_set_default_properties(nullptr, "") == 1);
  CHECK(verifies(test_secret));
  CHECK(secrets.reload(false));
  CHECK(verifies(other_secret));
}

TEST_CASE("a second endpoint has its own secret: each event comes twice and is handled once") {
  const Files files(test_secret);
  Receiver receiver(files.database.where(), files.log, files.options());
  CHECK(deliver_with(test_secret, receiver.port, "whe_0") == 200);
  files.write(test_secret + "\n" + other_secret + "\n");
  receiver.signal(SIGHUP);
  CHECK(receiver.logs("secrets in the file: 2\n"));
  std::atomic<int> good{0};
  in_threads(8, [&](std::size_t thread) {
    for (int i = 1; i <= 25; ++i) {
      const std::string& secret = thread % 2 == 0 ? test_secret : other_secret;
      const std::string id = "whe_" + std::to_string(thread / 2) + '_' + std::to_string(i);
      good += deliver_with(secret, receiver.port, id) == 200;
    }
  });
  CHECK(good == 200);
  files.write(other_secret);  // the first endpoint was deleted
  receiver.signal(SIGHUP);
  CHECK(receiver.logs("secrets in the file: 1\n"));
  CHECK(deliver_with(other_secret, receiver.port, "whe_last") == 200);
  REQUIRE(eventually([&] {
    return files.database.query("SELECT count(*) FROM webhook_events WHERE handled_at IS NULL") == "0\n";
  }));
  CHECK(files.database.query("SELECT count(*) FROM notes") == "102\n");
  CHECK(files.database.query("SELECT count(DISTINCT event_id) FROM notes") == "102\n");
}

// The service's schedule, five times as fast: the second attempt comes after 1 to 2 s, the third 5 to 10 s later.
TEST_CASE("regenerating a secret under load loses nothing if the file follows within seconds") {
  const Files files(test_secret);
  const Receiver receiver(files.database.where(), files.log, files.options());
  std::mt19937 random(std::random_device{}());
  const auto seconds = [](std::mt19937& engine, double from, double to) {
    return std::chrono::milliseconds(static_cast<int>(1000 * std::uniform_real_distribution(from, to)(engine)));
  };
  std::atomic<bool> regenerated{false}, done{false};
  std::atomic<int> sent{0}, lost{0}, later{0};
  std::thread operator_([&] {
    std::this_thread::sleep_for(seconds(random, 0.2, 1.5));
    regenerated = true;
    std::this_thread::sleep_for(seconds(random, 0.5, 3));
    files.write(other_secret + '\n');
    std::this_thread::sleep_for(2s);
    done = true;
  });
  in_threads(4, [&](std::size_t thread) {
    std::mt19937 engine(static_cast<unsigned>(thread));
    std::multimap<std::chrono::steady_clock::time_point, std::pair<std::string, int>> due;  // id, attempt
    const auto attempt = [&](const std::string& id, int number) {
      later += number > 1;
      if (deliver_with(regenerated ? other_secret : test_secret, receiver.port, id) == 200) return;
      if (number == 3) {
        ++lost;
        return;
      }
      const auto pause = number == 1 ? seconds(engine, 1, 2) : seconds(engine, 5, 10);
      due.emplace(std::chrono::steady_clock::now() + pause, std::pair(id, number + 1));
    };
    while (!done || !due.empty()) {
      if (!due.empty() && due.begin()->first <= std::chrono::steady_clock::now()) {
        const auto [id, number] = due.begin()->second;
        due.erase(due.begin());
        attempt(id, number);
      } else if (!done) {
        attempt("whe_" + std::to_string(++sent), 1);
      }
      std::this_thread::sleep_for(10ms);
    }
  });
  operator_.join();
  CHECK(lost == 0);
  CHECK(later > 0);
  CHECK(files.database.query("SELECT count(*) FROM webhook_events") == std::to_string(sent) + '\n');
  CHECK(count(receiver.log(), " secrets in the file: 1\n") == 1);
  CHECK(count(receiver.log(), " signed with secret 1 of 1\n") == 2);
}
