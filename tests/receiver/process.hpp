// SPDX-License-Identifier: MIT
// Child processes, and other helpers of the receiver's tests and benchmark.
#pragma once

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace fs = std::filesystem;
using namespace std::chrono_literals;

inline const std::string test_secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// Waits for another process, long enough for a slow machine, but not forever.
inline bool eventually(const std::function<bool()>& condition) {
  for (const auto end = std::chrono::steady_clock::now() + 3min; std::chrono::steady_clock::now() < end;) {
    if (condition()) return true;
    std::this_thread::sleep_for(5ms);
  }
  return false;
}

inline std::string contents(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

struct Folder {
  Folder() {
    std::string name = (fs::temp_directory_path() / "receiver_test.XXXXXX").string();
    if (!mkdtemp(name.data())) throw std::runtime_error("no temporary folder");
    path = name;
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder() {
    std::error_code ignored;
    fs::remove_all(path, ignored);
  }

  fs::path path;
};

/// A child process that does not outlive this object. Its output and errors go to the file `log`.
class Process {
 public:
  /// `secrets` are those in its environment, or the path of a file with them. It runs as `user`, if there is one.
  Process(const std::string& secrets, std::vector<std::string> command, fs::path log, const std::string& user = "")
      : log_(std::move(log)) {
    std::vector<char*> arguments;
    for (auto& argument : command) arguments.push_back(argument.data());
    arguments.push_back(nullptr);
    if (!user.empty()) {
      const passwd* const account = getpwnam(user.c_str());
      if (!account) throw std::runtime_error("no user " + user);
      uid_ = account->pw_uid;
      gid_ = account->pw_gid;
    }
    fs::remove(log_);  // from an earlier process
    pid_ = fork();
    if (pid_ < 0) throw std::runtime_error("no fork");
    if (pid_ == 0) {
      const int out = open(log_.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
      dup2(out, STDOUT_FILENO);
      dup2(out, STDERR_FILENO);
      become_user();
#ifdef __linux__
      prctl(PR_SET_PDEATHSIG, SIGKILL);  // even if this test is killed
#endif
      for (const char* const name : {"ANTHROPIC_WEBHOOK_SIGNING_KEY", "ANTHROPIC_WEBHOOK_SIGNING_KEY_FILE"}) {
        unsetenv(name);
      }
      const bool is_file = secrets[0] == '/';
      const char* const name = is_file ? "ANTHROPIC_WEBHOOK_SIGNING_KEY_FILE" : "ANTHROPIC_WEBHOOK_SIGNING_KEY";
      if (!secrets.empty()) setenv(name, secrets.c_str(), 1);
      execv(arguments[0], arguments.data());
      _exit(127);
    }
  }
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;
  ~Process() {
    if (pid_ > 0) {
      signal(SIGKILL);
      wait();
    }
  }

  void signal(int number) const { kill(pid_, number); }

  /// The exit status, or minus the signal that ended it.
  int wait() {
    int status = 0;
    const bool ended = eventually([&] { return waitpid(pid_, &status, WNOHANG) == pid_; });
    if (!ended) return -1000;
    pid_ = 0;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  }

  /// Limits its files to this many bytes.
  void limit_files([[maybe_unused]] rlim_t bytes) const {
#ifdef __linux__
    const pid_t child = fork();  // which has the same user, and so the right that even root may lack
    if (child == 0) {
      rlimit limit{};
      become_user();
      const bool good = prlimit(pid_, RLIMIT_FSIZE, nullptr, &limit) == 0;
      limit.rlim_cur = bytes;
      _exit(good && prlimit(pid_, RLIMIT_FSIZE, &limit, nullptr) == 0 ? 0 : 1);
    }
    int status = -1;
    waitpid(child, &status, 0);
    if (status != 0) throw std::runtime_error("no limit for files");
#endif
  }

  [[nodiscard]] pid_t pid() const { return pid_; }
  [[nodiscard]] std::string log() const { return contents(log_); }
  /// Waits until the text is in the log, since a receiver logs a line after it answers.
  [[nodiscard]] bool logs(const std::string& text) const {
    return eventually([&] { return log().find(text) != std::string::npos; });
  }

 private:
  void become_user() const {
    if (uid_ == 0) return;
    if (setgroups(0, nullptr) != 0 || setgid(gid_) != 0 || setuid(uid_) != 0 || chdir("/") != 0) _exit(126);
  }

  fs::path log_;
  uid_t uid_ = 0;  // 0: stays the current user
  gid_t gid_ = 0;
  pid_t pid_ = 0;
};

/// A receiver that listens.
class Receiver : public Process {
 public:
  struct Options {
    std::string secrets = test_secret;
    std::vector<std::string> more{};
    int port = 0;
    std::string address = "127.0.0.1";
    std::string program = RECEIVER, user{};
  };

  Receiver(const std::string& database, const fs::path& log, const Options& options)
      : Process(options.secrets, command(database, options), log, options.user) {
    const std::string before = "listening on http://", after = "/webhooks\n";
    std::string text;
    if (!eventually([&] { return (text = this->log()).find(after) != std::string::npos || ended(); }) || ended()) {
      throw std::runtime_error("the receiver does not listen: " + text);
    }
    url = text.substr(before.size(), text.find(after) - before.size());
    port = std::stoi(url.substr(url.rfind(':') + 1));
  }
  Receiver(const std::string& database, const fs::path& log) : Receiver(database, log, Options()) {}

  std::string url;  ///< Its address and port, without scheme and path.
  int port = 0;

 private:
  static std::vector<std::string> command(const std::string& database, const Options& options) {
    std::vector<std::string> all{options.program};
    all.insert(all.end(), options.more.begin(), options.more.end());
    all.insert(all.end(), {std::to_string(options.port), database, options.address});
    return all;
  }

  /// Whether it has ended, but has not been waited for.
  [[nodiscard]] bool ended() const {
    siginfo_t info{};
    return waitid(P_PID, static_cast<id_t>(pid()), &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid != 0;
  }
};
