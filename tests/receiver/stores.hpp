// SPDX-License-Identifier: MIT
// Helpers for the tests of stores.
#pragma once

#include "store.hpp"

#include <exception>
#include <map>
#include <string>

/// Calls the handler, and returns whether there was an event. Adds the reasons of failed events.
inline bool handle_next(Store& store, const Handler& handler,
                        std::map<std::string, std::string>* reasons = nullptr) {
  const auto attempt = store.handle_next(handler);
  if (reasons && attempt && !attempt->is_handled) reasons->emplace(attempt->id, attempt->reason);
  return attempt.has_value();
}

/// Writes a note about the event, as a handler.
inline void note(Transaction& db, const std::string& id) {
  db.run("INSERT INTO notes VALUES($1, $2)", {id, "noted"});
}

inline void write_note(Transaction& db, const std::string& id, const std::string&) { note(db, id); }

/// The message of the exception that `f` throws, or "" if there is none.
template <class F>
std::string problem_of(F f) {
  try {
    f();
    return {};
  } catch (const std::exception& e) {
    return e.what();
  }
}

inline bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}
