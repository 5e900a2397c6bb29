// SPDX-License-Identifier: MIT
// Which errors of PostgreSQL may go away by themselves.
#pragma once

#include "store.hpp"

#include <libpq-fe.h>

#include <algorithm>
#include <string>
#include <string_view>

inline DatabaseError postgres_error(std::string message, DatabaseError::Kind kind = DatabaseError::temporary) {
  std::replace_if(
      message.begin(), message.end(), [](char c) { return c == '\n' || c == '\t'; }, ' ');
  return {kind, "PostgreSQL: " + message};
}

/// The details are left out: they may have what is in the rows.
inline DatabaseError postgres_error(const PGresult& result) {
  const auto field = [&](int code) {
    const char* const text = PQresultErrorField(&result, code);
    return std::string(text ? text : "");
  };
  const std::string state = field(PG_DIAG_SQLSTATE);
  if (state.empty()) return postgres_error(PQresultErrorMessage(&result));  // it is libpq that says so
  // Any other class of states is about these values. A trigger may have one of its own.
  const auto is = [&](std::string_view classes) { return classes.find(state.substr(0, 2)) != classes.npos; };
  const auto kind = is("3F 42")                        ? DatabaseError::permanent
                    : is("08 25 40 53 55 57 58 F0 XX") ? DatabaseError::temporary
                                                       : DatabaseError::refused;
  return postgres_error(field(PG_DIAG_MESSAGE_PRIMARY) + " (SQLSTATE " + state + ')', kind);
}
