# Runs the built examples, in BINARY_DIR, and checks what they print.
cmake_minimum_required(VERSION 3.22)
set(examples ${CMAKE_CURRENT_LIST_DIR}/../examples)

function(expect name expected actual)
  if(NOT "${actual}" STREQUAL "${expected}")
    message(FATAL_ERROR "${name}: expected\n${expected}\nfound\n${actual}")
  endif()
endfunction()

function(run_unwrap)
  execute_process(COMMAND ${BINARY_DIR}/unwrap ${ARGN} RESULT_VARIABLE result OUTPUT_VARIABLE out ERROR_VARIABLE err)
  set(result "${result}" PARENT_SCOPE)
  set(out "${out}" PARENT_SCOPE)
  set(err "${err}" PARENT_SCOPE)
endfunction()

# One line per event, assembled here from the body itself.
file(GLOB payloads ${examples}/payloads/*.json)
set(broken ${examples}/payloads/broken.json)
set(all_lines "")
foreach(payload IN LISTS payloads)
  if(payload STREQUAL broken)
    continue()
  endif()
  file(READ ${payload} body)
  string(JSON id GET "${body}" id)
  string(JSON created_at GET "${body}" created_at)
  string(REPLACE ".25Z" ".250000Z" created_at "${created_at}")
  string(JSON type GET "${body}" data type)
  string(REPLACE "workflow.published" "workflow.published (unknown)" type "${type}")
  set(line "${created_at}  ${id}  ${type}")
  foreach(key IN ITEMS id enforcement_action_id session_thread_id vault_id)
    string(JSON value ERROR_VARIABLE absent GET "${body}" data ${key})
    if(NOT absent)
      string(APPEND line "  ${key}=\"${value}\"")
    endif()
  endforeach()
  run_unwrap(${payload})
  expect(${payload} "0 ${line}\n" "${result} ${out}${err}")
  string(APPEND all_lines "${line}\n")
endforeach()
set(missing "${broken}: /created_at: missing\n")
run_unwrap(${payloads})
expect("unwrap of all" "1 ${missing}${all_lines}" "${result} ${err}${out}")
run_unwrap(nowhere.json)
expect("unwrap of no file" "1 nowhere.json: cannot be read\n" "${result} ${err}${out}")

foreach(name IN ITEMS broken unknown)
  execute_process(COMMAND ${BINARY_DIR}/unwrap INPUT_FILE ${examples}/payloads/${name}.json
    RESULT_VARIABLE ${name}_result OUTPUT_VARIABLE ${name}_out ERROR_VARIABLE ${name}_out)
endforeach()
expect("unwrap of standard input" "1 standard input: /created_at: missing\n" "${broken_result} ${broken_out}")
expect("unwrap of standard input" 0 ${unknown_result})

set(verifier_output "session.status_idled, signed with secret 1\n")
set(testing_output "passed\n")
set(timestamps_date_output "2026-03-15 11:00:00.250000 CET\n00:12:30\n")
set(timestamps_chrono_output "${timestamps_date_output}")
set(no_match "no signature matches: the secret is another endpoint's, or the body was changed; diagnose() finds out which. ")
set(signatures "and the webhook-signature header has 1 of the form v1,<44 base64 digits>")
set(no_exceptions_output "session.status_idled\n401 no_matching_signature: ${no_match}")
string(APPEND no_exceptions_output "The body has 271 bytes, 1 secret was tried, ${signatures}\n")
foreach(name IN ITEMS verifier testing no_exceptions timestamps_date timestamps_chrono)
  if(name MATCHES "timestamps" AND NOT EXISTS ${BINARY_DIR}/${name})
    message("skipped: ${name}, which was not built")
    continue()
  endif()
  execute_process(COMMAND ${BINARY_DIR}/${name} RESULT_VARIABLE result OUTPUT_VARIABLE out ERROR_VARIABLE out)
  expect(${name} "0 ${${name}_output}" "${result} ${out}")
endforeach()

# The server, on a random port, gets valid, changed and old deliveries, and then one of each event type.
file(STRINGS ${CMAKE_CURRENT_LIST_DIR}/fixtures/event_types.tsv event_types REGEX "^[^#]")
list(TRANSFORM event_types REPLACE "\t.*" "")
file(READ ${examples}/../README.md readme)
if(NOT readme MATCHES "\nbuild/examples/send http://localhost:8080/webhooks ([^\n]+)\n")
  message(FATAL_ERROR "README.md does not show how to call send")
endif()
set(readme_event ${CMAKE_MATCH_1})
if(EXISTS ${BINARY_DIR}/server)
  file(WRITE ${BINARY_DIR}/deliver [[
for try in 1 2 3; do
  port=$((20000 + ($$ * 7 + try * 997) % 12000))
  "$1/server" $port >"$1/server.out" 2>"$1/server.err" &
  server=$!
  tries=0
  while [ $((tries += 1)) -lt 600 ] && kill -0 $server 2>/dev/null; do
    if "$1/send" $port "$2/session.status_idled.json" >"$1/send.out" 2>&1; then
      "$1/send" $port "$2/vault.created.json"
      "$1/send" --tamper $port "$2/vault.created.json"
      "$1/send" --age 301 $port "$2/vault.created.json"
      "$1/send" --age 60 $port "$2/vault.created.json"
      "$1/send" $port all
      "$1/send" http://localhost:$port/webhooks "$3"
      "$1/send" --age -400 $port agent.created agent.deleted
      kill $server
      sed "s/:$port/:PORT/; s/^idle: sesn_01.\{22\}$/idle: sesn_01.../" "$1/server.out"
      sed 's/^signed [0-9]*/signed N/' "$1/server.err"
      exit 0
    fi
    sleep 0.1
  done
  kill $server 2>/dev/null
  cat "$1/send.out" "$1/server.err"
done
exit 1
]])
  set(ENV{ANTHROPIC_WEBHOOK_SIGNING_KEY} whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw)
  execute_process(COMMAND sh ${BINARY_DIR}/deliver ${BINARY_DIR} ${examples}/payloads ${readme_event}
    RESULT_VARIABLE result OUTPUT_VARIABLE out ERROR_VARIABLE out)
  set(created ${examples}/payloads/vault.created.json)
  file(SIZE ${created} size)
  math(EXPR size "${size} + 1")
  list(JOIN event_types ": 204\n" all_sent)
  list(JOIN event_types "\nignored: " all_received)
  string(REPLACE "ignored: session.status_idled\n" "idle: sesn_01...\n" all_received "${all_received}")
  string(CONCAT expected "0 ${created}: 204\n${created}: 401\n${created}: 401\n${created}: 204\n"
    "${all_sent}: 204\nsession.status_idled: 204\nagent.created: 401\nagent.deleted: 401\n"
    "listening on http://localhost:PORT/webhooks\nidle: sesn_01...\nignored: vault.created\nignored: vault.created\n"
    "ignored: ${all_received}\nidle: sesn_01...\n"
    "${no_match}The body has ${size} bytes, 1 secret was tried, ${signatures}\nsigned N s ago, and the tolerance is 300 s\n"
    "signed N s in the future, and the tolerance is 300 s\nsigned N s in the future, and the tolerance is 300 s\n")
  expect("the server" "${expected}" "${result} ${out}")
else()
  message("skipped: the server, which was not built")
endif()

# The command lines of send and sign; the others follow below.
set(send_usage "usage: send [--tamper] [--age SECONDS] [--retry SECONDS] URL[,URL...] EVENT...\n")
set(sign_usage "usage: sign EVENT\n")
function(expect_call program expected)
  if(EXISTS ${BINARY_DIR}/${program})
    execute_process(COMMAND ${BINARY_DIR}/${program} ${ARGN} RESULT_VARIABLE result OUTPUT_VARIABLE out ERROR_VARIABLE err)
    string(REGEX REPLACE "\n\n.*" "\n" out "${out}")  # only the first line of --help
    expect("${program} ${ARGN}" "${expected}" "${result} ${out}${err}")
  endif()
endfunction()
expect_call(send "0 ${send_usage}" --help)
expect_call(send "0 ${send_usage}" 8080 vault.created --help)
expect_call(send "2 send: ${send_usage}")
expect_call(send "2 send: ${send_usage}" 8080)
expect_call(send "2 send: ${send_usage}" --other 8080 vault.created)
expect_call(send "2 send: --age needs a value\n" 8080 vault.created --age)
foreach(seconds IN ITEMS soon 5s 1e10 --retry)
  expect_call(send "2 send: --age takes a number of seconds, not ${seconds}\n" --age ${seconds} 8080 vault.created)
endforeach()
expect_call(sign "0 ${sign_usage}" --help)
expect_call(sign "2 sign: ${sign_usage}")
expect_call(sign "2 sign: ${sign_usage}" all)
expect_call(sign "2 sign: ${sign_usage}" vault.created vault.created)
set(neither "is neither an event type nor a file; the nearest type is")
expect_call(send "2 send: session.status_idle ${neither} session.status_idled\n" 8080 vault.created session.status_idle)
expect_call(sign "2 sign: session.status_idle ${neither} session.status_idled\n" session.status_idle)
expect_call(sign "2 sign: idled ${neither} session.idled\n" idled)
expect_call(sign "2 sign: vaults.created ${neither} vault.created\n" vaults.created)
expect_call(sign "2 sign: . ${neither} session.idled\n" .)  # a folder
set(ENV{ANTHROPIC_WEBHOOK_SIGNING_KEY} "")
expect_call(sign "2 sign: ANTHROPIC_WEBHOOK_SIGNING_KEY is not set\n" vault.created)

# An event generated by sign has no empty member, and looks like the payload of its type, if there is one.
set(ENV{ANTHROPIC_WEBHOOK_SIGNING_KEY} whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw)
set(alphanumeric "[0-9A-Za-z]")
string(REPEAT "${alphanumeric}" 22 random)
function(masked variable body) # reduces IDs and times to their form
  string(REGEX REPLACE "_01${random}\"" "_01...\"" body "${body}")
  string(REGEX REPLACE "\"whe_[0-9a-f]+\"" "\"whe_...\"" body "${body}")
  string(REGEX REPLACE "T..:..:..Z\"" "T...\"" body "${body}")
  string(REGEX REPLACE "\"....-..-..T" "\"...T" body "${body}")
  set(${variable} "${body}" PARENT_SCOPE)
endfunction()
foreach(event_type IN LISTS event_types)
  execute_process(COMMAND ${BINARY_DIR}/sign ${event_type} RESULT_VARIABLE result OUTPUT_VARIABLE request)
  string(REGEX REPLACE ".*\n\n" "" body "${request}")
  string(JSON id GET "${body}" id)
  if(NOT result EQUAL 0 OR NOT request MATCHES "^webhook-id: ${id}\n" OR NOT id MATCHES "^whe_[0-9a-f]+$" OR body MATCHES "\"\"")
    message(FATAL_ERROR "sign ${event_type}: ${result} ${request}")
  endif()
  set(payload ${examples}/payloads/${event_type}.json)
  if(EXISTS ${payload})
    file(READ ${payload} expected)
    string(STRIP "${expected}" expected)
    masked(expected "${expected}")
    masked(body "${body}")
    expect("sign ${event_type}" "${expected}" "${body}")
  endif()
endforeach()

# Saved requests: a valid one with a request line and CRLF, and variants that are spoilt in some way.
file(READ ${examples}/payloads/session.status_idled.json body)
string(STRIP "${body}" body)  # its trailing newline
set(fixture ${BINARY_DIR}/body)
file(WRITE ${fixture} "${body}")
set(secret whsec_MDEyMzQ1Njc4OWFiY2RlZmdoaWprbG1ub3BxcnN0dQo=)
set(headers "webhook-id: 1\nWebhook-Timestamp:1773568800\n")
string(APPEND headers "webhook-signature: v1,ofgVwRx4f4CCUQfcyQflQqtMMKMmGQ5v4QOu6Al0WgA=\n")
string(REPLACE "\n" "\r\n" crlf_headers "POST /webhooks HTTP/1.1\n${headers}\n")
set(saved ${BINARY_DIR}/saved_request)

# What diagnose says about `request`, given as a file and on standard input.
function(expect_diagnosis name expected secrets request)
  file(WRITE ${saved} "${request}")
  set(ENV{ANTHROPIC_WEBHOOK_SIGNING_KEY} "${secrets}")
  execute_process(COMMAND ${BINARY_DIR}/diagnose ${ARGN} ${saved}
    RESULT_VARIABLE result OUTPUT_VARIABLE out ERROR_VARIABLE err)
  expect("diagnose, ${name}" "${expected}" "${result} ${out}${err}")
  execute_process(COMMAND ${BINARY_DIR}/diagnose ${ARGN} INPUT_FILE ${saved}
    RESULT_VARIABLE result OUTPUT_VARIABLE out ERROR_VARIABLE err)
  expect("diagnose, ${name}, from standard input" "${expected}" "${result} ${out}${err}")
endfunction()

set(at --now 1773568900)
set(verified "0 verified: 2026-03-15T10:00:00Z  whe_0f1e2d3c4b5a69788796a5b4c3d2e1f0  session.status_idled")
string(APPEND verified "  sesn_011CZkZAtmR3yMPDzynEDxu7\n")
expect_diagnosis("CRLF" "${verified}" ${secret} "${crlf_headers}${body}" ${at})
expect_diagnosis("status line" "${verified}" ${secret} "HTTP/1.1 200 OK\n${headers}\n${body}" ${at})
expect_diagnosis("two secrets" "${verified}" "whsec_dGhlIGtleSBvZiBhbm90aGVyIGVuZHBvaW50,${secret}"
  "${headers}\n${body}" ${at})
set(newline "1 proven: A trailing newline was added to the body.\n        Verify the raw body, byte for byte. ")
string(APPEND newline "Text tools add a trailing newline, and readers of lines drop one.\n")
expect_diagnosis("trailing newline" "${newline}" ${secret} "${headers}\n${body}\n" ${at})
set(clock "1 proven: The signature is right, and it was made 301 s (5 min) before the time of the check; the tolerance is ")
string(APPEND clock "300 s.\n        Set the receiver's clock by NTP, and take its time in UTC. For a saved request, give ")
string(APPEND clock "the time at which it came.\n")
expect_diagnosis("old" "${clock}" ${secret} "${headers}\n${body}" --now 1773569101)
set(ENV{ANTHROPIC_WEBHOOK_SIGNING_KEY} ${secret})
execute_process(COMMAND ${BINARY_DIR}/diagnose ${saved} RESULT_VARIABLE result OUTPUT_VARIABLE out)
if(NOT "${result} ${out}" MATCHES "^1 proven: The signature is right, and it was made [0-9]+ s ")
  message(FATAL_ERROR "diagnose of an old request, now: ${result} ${out}")
endif()
# The output of curl -v, which lacks the body.
string(REPLACE "\n" "\r\n> " curl "> POST /webhooks HTTP/1.1\n${headers}")
string(PREPEND curl "*   Trying 127.0.0.1:8080...\n* Connected to 127.0.0.1 (127.0.0.1) port 8080 (#0)\n")
set(response "} [270 bytes data]\n< HTTP/1.1 401 Unauthorized\r\n< \r\n{ [3 bytes data]\n* Connection #0 left intact\n")
string(REPLACE "\r" "" lf_curl "${curl}")
expect_diagnosis("curl" "${verified}" ${secret} "${curl}\r\n${body}" ${at})
expect_diagnosis("curl, without CR" "${verified}" ${secret} "${lf_curl}\n${body}" ${at})
expect_diagnosis("curl, with its response" "${verified}" ${secret} "${curl}\r\n${response}${body}" ${at})
expect_diagnosis("curl, with the body elsewhere" "${verified}" ${secret} "${curl}\r\n${response}no\n" ${at} --body ${fixture})
expect_diagnosis("curl, and a trailing newline" "${newline}" ${secret} "${curl}\r\n${body}\n" ${at})
expect_diagnosis("CRLF, and a trailing newline" "${newline}" ${secret} "${crlf_headers}${body}\r\n" ${at})
expect_diagnosis("no body" "2 diagnose: cannot read nowhere\n" ${secret} "${headers}\n" --body nowhere)
expect_diagnosis("no empty line" "2 diagnose: there is no empty line after the headers\n" ${secret} "${headers}" ${at})
expect_diagnosis("no header" "2 diagnose: line 4 is not a header\n" ${secret} "${headers}{}\n\n" ${at})
expect_diagnosis("no secret" "2 diagnose: ANTHROPIC_WEBHOOK_SIGNING_KEY is not set\n" "" "\n" ${at})
expect_diagnosis("no time" "2 diagnose: --now takes whole seconds since 1970\n" ${secret} "\n" --now today)
expect_call(unwrap "0 usage: unwrap [FILE...]\n" --help)
expect_call(fetch "0 usage: fetch [FILE...]\n" --help)
set(diagnose_usage "usage: diagnose [--now SECONDS] [--body FILE] [FILE]\n")
expect_call(diagnose "0 ${diagnose_usage}" --help)
expect_call(diagnose "2 diagnose: ${diagnose_usage}" a b)
expect_call(diagnose "2 diagnose: ${diagnose_usage}" --other)
expect_call(diagnose "2 diagnose: --now needs a value\n" --now)
expect_call(diagnose "2 diagnose: --body needs a value\n" --body)
expect_call(diagnose "2 diagnose: cannot read nowhere\n" nowhere)

# The output of sign verifies now, even for a body that is not an event.
execute_process(COMMAND ${BINARY_DIR}/sign ${fixture} COMMAND ${BINARY_DIR}/diagnose
  RESULT_VARIABLE result OUTPUT_VARIABLE out)
expect("diagnose of sign" "${verified}" "${result} ${out}")
execute_process(COMMAND ${BINARY_DIR}/sign ${broken} COMMAND ${BINARY_DIR}/diagnose
  RESULT_VARIABLE result OUTPUT_VARIABLE out)
expect("diagnose of sign" "1 verified, but not an event: /created_at: missing\n" "${result} ${out}")

# The README shows what diagnose prints.
if(NOT readme MATCHES "```console\n[$] ([^\n]+)\n([^`]+)```")
  message(FATAL_ERROR "README.md does not show how to call diagnose")
endif()
set(expected "${CMAKE_MATCH_2}")
string(REPLACE "build/examples/" "${BINARY_DIR}/" command "${CMAKE_MATCH_1}")
execute_process(COMMAND sh -c "${command}" WORKING_DIRECTORY ${examples}/.. OUTPUT_VARIABLE out ERROR_VARIABLE out)
expect("README.md: ${command}" "${expected}" "${out}")

# Each C++ block of the README is in an example, identical except for its indentation.
file(GLOB sources ${examples}/*.cpp)
foreach(source IN LISTS sources)
  file(READ ${source} text)
  string(APPEND code "${text}")
endforeach()
string(REPLACE ";" "<semicolon>" readme "${readme}")
string(REPLACE ";" "<semicolon>" code "\n${code}")
string(REGEX REPLACE "\n +" "\n" code "${code}")
string(REPLACE "```cpp\n" ";" blocks "${readme}")
list(POP_FRONT blocks)
if(NOT blocks)
  message(FATAL_ERROR "the README has no C++ block")
endif()
foreach(block IN LISTS blocks)
  string(REGEX REPLACE "```.*" "" block "${block}")
  string(REGEX REPLACE "\n +" "\n" block "\n${block}")
  string(FIND "${code}" "${block}" at)
  if(at EQUAL -1)
    message(FATAL_ERROR "in no example:\n${block}")
  endif()
endforeach()

# There is one payload for each resource.
set(resources broken unknown)
foreach(event_type IN LISTS event_types)
  string(REGEX MATCH "^([^.]+[.](thread_)?)([^\t]+)" tag "${event_type}")
  list(APPEND resources ${CMAKE_MATCH_1})
endforeach()
set(shown "")
foreach(payload IN LISTS payloads)
  string(REGEX MATCH "([^/]+)[.]json$" name ${payload})
  string(REGEX REPLACE "[.]((thread_)?)[^.]+$" ".\\1" resource ${CMAKE_MATCH_1})
  list(APPEND shown ${resource})
endforeach()
list(REMOVE_DUPLICATES resources)
list(SORT resources)
list(SORT shown)
expect("the resources of the payloads" "${resources}" "${shown}")
