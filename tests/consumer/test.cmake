# Builds and runs the project beside this file with the library used in one WAY: fetch, which without_openssl is too,
# subdirectory, package (installed first), or pinned and pinned_package, which are fetch and package where the system
# has no package of nlohmann/json.
file(REMOVE_RECURSE ${BINARY_DIR})

function(run)
  execute_process(COMMAND ${ARGV} RESULT_VARIABLE result OUTPUT_VARIABLE output ERROR_VARIABLE output)
  if(NOT result EQUAL 0)
    message(FATAL_ERROR "${ARGV}:\n${output}")
  endif()
  set(output "${output}" PARENT_SCOPE)
endfunction()

set(options -D CMAKE_CXX_COMPILER=${CXX} -D CMAKE_BUILD_TYPE=Debug)
if(WAY MATCHES "pinned")
  file(COPY ${NLOHMANN_JSON_INCLUDE}/nlohmann DESTINATION ${BINARY_DIR}/pinned/json/include)
  list(APPEND options -D CMAKE_DISABLE_FIND_PACKAGE_nlohmann_json=ON
    -D FETCHCONTENT_SOURCE_DIR_ANTHROPIC_WEBHOOKS_NLOHMANN_JSON=${BINARY_DIR}/pinned/json)
endif()
if(WAY STREQUAL "without_openssl")
  list(APPEND options -D CMAKE_DISABLE_FIND_PACKAGE_OpenSSL=ON)
endif()
if(WAY MATCHES "package")
  run(${CMAKE_COMMAND} -S ${LIBRARY} -B ${BINARY_DIR}/library ${options} -D BUILD_TESTING=OFF)
  run(${CMAKE_COMMAND} --install ${BINARY_DIR}/library --prefix ${BINARY_DIR}/installed)
  # Moved, to see that nothing in it names where it was.
  file(RENAME ${BINARY_DIR}/installed ${BINARY_DIR}/prefix)
  list(APPEND options -D CMAKE_PREFIX_PATH=${BINARY_DIR}/prefix -D WAY=package)
else()
  list(APPEND options -D LIBRARY=${LIBRARY} -D WAY=${WAY})
endif()
run(${CMAKE_COMMAND} -S ${CMAKE_CURRENT_LIST_DIR} -B ${BINARY_DIR}/consumer ${options})
run(${CMAKE_COMMAND} --build ${BINARY_DIR}/consumer)
run(${BINARY_DIR}/consumer/consumer)
if(NOT output STREQUAL "vault.created\n")
  message(FATAL_ERROR "unexpected output: ${output}")
endif()

run(${CMAKE_COMMAND} --install ${BINARY_DIR}/consumer --prefix ${BINARY_DIR}/nothing)
file(GLOB_RECURSE installed ${BINARY_DIR}/nothing/*)
if(installed)
  message(FATAL_ERROR "the library installs itself with the project that uses it: ${installed}")
endif()
