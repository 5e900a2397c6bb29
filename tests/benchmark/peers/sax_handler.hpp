// SPDX-License-Identifier: MIT
#pragma once

#include "fields.hpp"

#include <cstddef>
#include <stdexcept>
#include <string_view>
#include <utility>

namespace peers {

/// Puts the strings of a body into fields, for parsers that report what they read piece by piece.
template <class String>
class sax_handler {
 public:
  void key(std::string_view key) {
    if (unknown_depth_ > 0) return;
    slot_ = object_ == envelope ? fields_.of_envelope(key) : fields_.of_data(key);
    data_follows_ = object_ == envelope && key == "data";
  }

  template <class S>
  void string(S&& value) {
    if (slot_ != nullptr) *slot_ = std::forward<S>(value);
    slot_ = nullptr;
  }

  void other() {
    if (slot_ != nullptr) throw std::runtime_error("a field is no string");
  }

  void begin_object() {
    other();
    if (unknown_depth_ > 0 || (object_ != none && !data_follows_)) {
      ++unknown_depth_;
    } else {
      object_ = object_ == none ? envelope : data;
      data_follows_ = false;
    }
  }

  void begin_array() {
    other();
    ++unknown_depth_;
  }

  void end() {
    if (unknown_depth_ > 0) {
      --unknown_depth_;
    } else {
      object_ = object_ == data ? envelope : none;
    }
  }

  auto event() { return fields_.event(); }

 private:
  fields<String> fields_;
  typename fields<String>::slot* slot_ = nullptr;  // where the next string goes
  enum { none, envelope, data } object_ = none;
  bool data_follows_ = false;
  std::size_t unknown_depth_ = 0;
};

}  // namespace peers
