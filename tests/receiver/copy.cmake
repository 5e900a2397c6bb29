# Builds a copy of the receiver's folder as a separate project, with the library fetched, and configures it with the
# library installed. It must name what is missing.
cmake_minimum_required(VERSION 3.22)
file(REMOVE_RECURSE ${BINARY_DIR})
set(copy ${BINARY_DIR}/webhook-receiver)
file(COPY ${LIBRARY}/examples/receiver/ DESTINATION ${copy})

function(expect status_and_output)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE result OUTPUT_VARIABLE output ERROR_VARIABLE output)
  string(REGEX REPLACE "[ \n]+" " " output "${output}")
  if(NOT "${result} ${output}" MATCHES "^${status_and_output}")
    message(FATAL_ERROR "${ARGN}: expected\n${status_and_output}\nfound\n${result} ${output}")
  endif()
endfunction()

set(library ${BINARY_DIR}/library)
expect("0 " ${CMAKE_COMMAND} -S ${LIBRARY} -B ${library} -D CMAKE_CXX_COMPILER=${CXX} -D BUILD_TESTING=OFF)
expect("0 " ${CMAKE_COMMAND} --install ${library} --prefix ${BINARY_DIR}/installed)
expect("0 " ${CMAKE_COMMAND} -S ${copy} -B ${BINARY_DIR}/configured -D CMAKE_CXX_COMPILER=${CXX}
  -D CMAKE_PREFIX_PATH=${BINARY_DIR}/installed -D FETCHCONTENT_FULLY_DISCONNECTED=ON)

set(build ${BINARY_DIR}/built)
set(configure ${CMAKE_COMMAND} -S ${copy} -B ${build} -D CMAKE_CXX_COMPILER=${CXX}
  -D CMAKE_DISABLE_FIND_PACKAGE_anthropic-webhooks=ON -D FETCHCONTENT_SOURCE_DIR_ANTHROPIC-WEBHOOKS=${LIBRARY})
set(no CMAKE_DISABLE_FIND_PACKAGE_)
expect("1 .*receiver: not built; missing: SQLite 3.35 [(]libsqlite3-dev[)], Boost 1.74 [(]libboost-dev[)] "
  ${configure} -D ${no}SQLite3=ON -D ${no}Boost=ON)
expect("1 .*receiver: not built; missing: C[+][+]20 coroutines that Boost knows "
  ${configure} -D ${no}SQLite3=OFF -D ${no}Boost=OFF -D HAS_COROUTINES=OFF)
expect("0 .*CMake Warning .* receiver: built for SQLite only; for PostgreSQL it needs libpq "
  ${configure} -U HAS_COROUTINES -D ${no}PostgreSQL=ON)
expect("0 " ${configure} -D ${no}PostgreSQL=OFF)
expect("0 " ${CMAKE_COMMAND} --build ${build})
expect("2 receiver: webhook secret: neither ANTHROPIC_WEBHOOK_SIGNING_KEY_FILE nor " ${CMAKE_COMMAND} -E env
  --unset=ANTHROPIC_WEBHOOK_SIGNING_KEY_FILE --unset=ANTHROPIC_WEBHOOK_SIGNING_KEY ${build}/receiver)
