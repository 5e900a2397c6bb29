// SPDX-License-Identifier: MIT
// What cpp-httplib (0.11 to 0.17) does not do for a receiver: end a request that drips in, keep room for a burst
// of connections, and hand its port over to a new process.
#pragma once

#include <httplib.h>

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>
#ifdef __linux__
#include <linux/filter.h>
#endif

#include <algorithm>
#include <array>
#include <chrono>
#include <stdexcept>
#include <string>
#include <thread>

class Server : public httplib::Server {
 public:
  /// Listens, and returns the port, which is a free one for 0. Throws std::runtime_error.
  /// `share` lets a new process listen on the same port, if it shares it too and runs as the same user.
  int listen_on(const std::string& address, int port, bool share) {
    share_ = share;
    set_socket_options([share](socket_t s) {
      const int yes = 1;
      setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
      if (share) setsockopt(s, SOL_SOCKET, SO_REUSEPORT, &yes, sizeof yes);
    });
    const int bound = port == 0 ? bind_to_any_port(address) : bind_to_port(address, port) ? port : -1;
    if (bound < 0) throw std::runtime_error("cannot listen on port " + std::to_string(port));
    ::listen(svr_sock_, 511);  // cpp-httplib's own queue has room for five
    if (share) take_over();
    return bound;
  }

  /// Stops listening. What has been accepted is still answered.
  void finish() {
    // Closing a socket resets the connections that wait in its queue. A shared port has a successor for new ones,
    // so the queue of this socket runs empty first.
    if (share_) std::this_thread::sleep_for(std::chrono::seconds(1));
    stop();
  }

 private:
  /// A connection that limits the whole request, to ten seconds and eight megabytes. cpp-httplib limits only its
  /// parts.
  class Connection : public httplib::Stream {
   public:
    explicit Connection(socket_t s) : socket_(s) {}

    [[nodiscard]] bool is_readable() const override {
      using namespace std::chrono;
      const auto left = duration_cast<milliseconds>(end_of_request_ - steady_clock::now()).count();
      pollfd wanted{socket_, POLLIN, 0};
      return next_ < end_ || (left > 0 && poll(&wanted, 1, static_cast<int>(left)) > 0);
    }
    [[nodiscard]] bool is_writable() const override { return true; }  // cpp-httplib has set a limit for send()
    ssize_t read(char* to, std::size_t size) override {
      if (next_ == end_) {
        flush(0);  // of "100 Continue"
        if (!is_readable()) return -1;
        const ssize_t got = recv(socket_, buffer_.data(), buffer_.size(), 0);
        received_ += got;
        if (got <= 0 || received_ > 8 << 20) return std::min<ssize_t>(got, 0);
        next_ = 0;
        end_ = static_cast<std::size_t>(got);
      }
      size = std::min(size, end_ - next_);
      std::copy_n(&buffer_[next_], size, to);
      next_ += size;
      return static_cast<ssize_t>(size);
    }
    ssize_t write(const char* from, std::size_t size) override {
      answer_.append(from, size);
      return static_cast<ssize_t>(size);
    }
    void flush(int flags) {
      if (!answer_.empty()) send(socket_, answer_.data(), answer_.size(), MSG_NOSIGNAL | flags);
      answer_.clear();
    }
    void get_remote_ip_and_port(std::string&, int&) const override {}
    void get_local_ip_and_port(std::string&, int&) const override {}
    [[nodiscard]] socket_t socket() const override { return socket_; }

   private:
    socket_t socket_;
    std::chrono::steady_clock::time_point end_of_request_ =
        std::chrono::steady_clock::now() + std::chrono::seconds(10);
    std::array<char, 4096> buffer_;
    std::size_t next_ = 0, end_ = 0;
    ssize_t received_ = 0;
    std::string answer_;
  };

  /// One request a connection: an idle one would keep a thread from others.
  bool process_and_close_socket(socket_t s) override {
    Connection connection(s);
    bool closed = false;
    const bool good = process_request(connection, true, closed, nullptr);
#ifdef MSG_MORE
    connection.flush(MSG_MORE);  // One packet has all of the answer, and the end.
#else
    connection.flush(0);
#endif
    shutdown(s, SHUT_WR);
    close(s);
    return good;
  }

  /// Sends new connections to this process, and no longer to the one that has listened on this port so far. Only
  /// Linux can do this. Elsewhere both get connections, and a few may be reset when the other stops.
  void take_over() {
#ifdef SO_ATTACH_REUSEPORT_CBPF
    sock_filter second = BPF_STMT(BPF_RET | BPF_K, 1);  // of the two that listen; for one alone it has no effect
    const sock_fprog program{1, &second};
    setsockopt(svr_sock_, SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, &program, sizeof program);
#endif
  }

  bool share_ = false;
};
