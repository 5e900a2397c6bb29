// SPDX-License-Identifier: MIT
// What the tests of stores do with them.
#pragma once

#include "store.hpp"

#include <exception>
#include <map>
#include <string>

/// Calls the handler, and returns whether there was an event. Adds the reasons of events that were not handled.
inline bool handle_next(Store& store, const Handler& handler,
                        std::map<std::string, std::string>* reasons = nullptr) {
  const auto attempt = store.handle_next(handler);
  if (reasons && attempt && !attempt->is_handled) reasons->emplace(attempt->id, attempt->reason);
  return attempt.has_value();
}

/// Has the handler write a note about the event.
inline void note(Transaction& db, const std::string& id) {
  db.run("INSERT INTO notes VALUES($1, $2)", {id, "noted"});
}

inline void write_note(Transaction& db, const std::string& id, const std::string&) { note(db, id); }

/// What the exception that `f` throws says, or "" where it throws none.
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
