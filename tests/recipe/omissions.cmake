# Skips each step of a recipe once: the copy must not compile, or must not pass texts.cmake.
cmake_minimum_required(VERSION 3.22)
set(texts ${CMAKE_CURRENT_LIST_DIR}/texts.cmake)
set(include include/anthropic/webhooks)
set(needed README.md ${include} tests/error_test.cpp tests/diagnose_test.cpp)

# Replaces a text in a file of the copy, or fails.
function(replace file from to)
  file(READ ${COPY}/${file} text)
  string(FIND "${text}" "${from}" at)
  if(at EQUAL -1)
    message(FATAL_ERROR "${file} has no \"${from}\"")
  endif()
  string(REPLACE "${from}" "${to}" text "${text}")
  file(WRITE ${COPY}/${file} "${text}")
endfunction()

function(start)
  file(REMOVE_RECURSE ${COPY})
  foreach(path IN LISTS needed)
    get_filename_component(folder ${COPY}/${path} DIRECTORY)
    file(COPY ${ROOT}/${path} DESTINATION ${folder})
  endforeach()
endfunction()

# Runs a command, which must succeed if `expected` is "", or else fail with an output that matches it.
function(expect expected)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE result OUTPUT_VARIABLE out ERROR_VARIABLE out)
  string(REGEX REPLACE "[ \n]+" " " text "${out}")
  if(expected STREQUAL "" AND NOT result EQUAL 0)
    message(FATAL_ERROR "it fails even with all steps done:\n${out}")
  elseif(NOT expected STREQUAL "" AND (result EQUAL 0 OR NOT text MATCHES "${expected}"))
    message(FATAL_ERROR "expected \"${expected}\", but it ended with ${result}:\n${out}")
  endif()
endfunction()

# Compiles a header of the copy.
function(compile header expected)
  file(WRITE ${COPY}/test.cpp "#include <anthropic/webhooks/${header}>\n#include <anthropic/webhooks/unwrap.hpp>\n"
    "auto f = &anthropic::webhooks::unwrap<>;\n")
  expect("${expected}" ${CXX} -std=c++17 -fsyntax-only -Wswitch -Werror -I ${COPY}/include ${COPY}/test.cpp)
endfunction()

function(check_texts expected)
  expect("${expected}" ${CMAKE_COMMAND} -D ROOT=${COPY} -P ${texts})
endfunction()

start()
check_texts("")

# A member.
set(events ${include}/events.hpp)
set(last_row "\n};\ninline constexpr std::size_t member_count")
replace(${events} "  std::string vault_id;" "  std::string ${KEY};\n  std::string vault_id;")
compile(unwrap.hpp "add the row")
replace(${events} "${last_row}" "\n    ${MEMBER}${last_row}")
compile(unwrap.hpp "")
start()
replace(${events} "${last_row}" "\n    ${MEMBER}${last_row}")
compile(unwrap.hpp "remove the row")

# An event type.
start()
replace(${events} "\n// Session threads.\n" "\nstruct BetaWebhookAnotherEventData {\n};\n// Session threads.\n")
check_texts("BetaWebhookAnotherEventData is not in the variant")
replace(${events} "    BetaWebhookUnknownEventData>" "    BetaWebhookAnotherEventData, BetaWebhookUnknownEventData>")
check_texts("README.md does not say that there are 5[0-9] event types")

# An error code.
start()
set(error ${include}/error.hpp)
replace(${error} "memory.\n};" "memory.\n  another,\n};")
compile(error.hpp "another")
replace(${error} "    case WebhookErrc::crypto_failure: return \"crypto_failure\";\n"
  "    case WebhookErrc::crypto_failure: return \"crypto_failure\";\n    case WebhookErrc::another: return \"another\";\n")
compile(error.hpp "http_status")
replace(${error} "    case WebhookErrc::crypto_failure: break;" "    case WebhookErrc::another:\n    case WebhookErrc::crypto_failure: break;")
compile(error.hpp "")
check_texts("error_test.cpp lacks the name or the status of another")
file(APPEND ${COPY}/tests/error_test.cpp "// WebhookErrc::another; WebhookErrc::another;\n")
check_texts("the table in README.md lacks another")
file(APPEND ${COPY}/README.md "| `another` | | |\n")
check_texts("")

# A cause of diagnose().
start()
set(diagnose ${include}/diagnose.hpp)
file(READ ${COPY}/${diagnose} text)
string(REGEX REPLACE "(\n  body_charset,[^\n]*)" "\\1\n  another," text "${text}")
file(WRITE ${COPY}/${diagnose} "${text}")
compile(diagnose.hpp "another")
replace(${diagnose} "    case WebhookCause::body_charset: return \"body_charset\";\n"
  "    case WebhookCause::body_charset: return \"body_charset\";\n    case WebhookCause::another: return \"another\";\n")
compile(diagnose.hpp "cause_entries lacks a WebhookCause")
check_texts("diagnose_test.cpp lacks the name of another")
file(REMOVE_RECURSE ${COPY})
message(STATUS "each omission is found")
