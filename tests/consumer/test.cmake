# Builds and runs the project beside this file with the library used in one WAY: fetch, which without_openssl is too,
# subdirectory, package (installed first), exported (installed with a static library that links it), or pinned and
# pinned_package, which are fetch and package where the system has no package of nlohmann/json. Or readme, which builds what
# the README shows first.
file(REMOVE_RECURSE ${BINARY_DIR})

# Runs a command that must fail, and say `message`, with line breaks anywhere.
function(run_to_fail message)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE result OUTPUT_VARIABLE output ERROR_VARIABLE output)
  string(REGEX REPLACE "[ \n]+" " " output "${output}")
  string(FIND "${output}" "${message}" at)
  if(result EQUAL 0 OR at EQUAL -1)
    message(FATAL_ERROR "${ARGN}: expected\n${message}\nfound ${result}\n${output}")
  endif()
endfunction()

function(run)
  execute_process(COMMAND ${ARGV} RESULT_VARIABLE result OUTPUT_VARIABLE output ERROR_VARIABLE output)
  if(NOT result EQUAL 0)
    message(FATAL_ERROR "${ARGV}:\n${output}")
  endif()
  set(output "${output}" PARENT_SCOPE)
endfunction()

# The README's server, built as the README says: with CMake, and without.
if(WAY STREQUAL "readme")
  file(READ ${LIBRARY}/README.md readme)
  string(REGEX MATCH "```cpp\n([^`]+)```" block "${readme}")
  file(WRITE ${BINARY_DIR}/server.cpp "${CMAKE_MATCH_1}")
  string(REGEX MATCH "```cmake\n([^`]+)```" block "${readme}")
  file(WRITE ${BINARY_DIR}/CMakeLists.txt "${CMAKE_MATCH_1}")
  run(${CMAKE_COMMAND} -S ${BINARY_DIR} -B ${BINARY_DIR}/build -D CMAKE_CXX_COMPILER=${CXX}
    -D FETCHCONTENT_SOURCE_DIR_ANTHROPIC-WEBHOOKS=${LIBRARY})
  run(${CMAKE_COMMAND} --build ${BINARY_DIR}/build)
  file(COPY ${LIBRARY}/include DESTINATION ${BINARY_DIR})
  string(REGEX MATCH "`g[+][+]( [^`]+)`" block "${readme}")
  run(${CMAKE_COMMAND} -E chdir ${BINARY_DIR} sh -c "'${CXX}' ${CMAKE_MATCH_1}")
  return()
endif()

set(options -D CMAKE_CXX_COMPILER=${CXX} -D CMAKE_BUILD_TYPE=Debug)
if(WAY MATCHES "pinned")
  file(COPY ${NLOHMANN_JSON_INCLUDE}/nlohmann DESTINATION ${BINARY_DIR}/pinned/json/include)
  list(APPEND options -D CMAKE_DISABLE_FIND_PACKAGE_nlohmann_json=ON
    -D FETCHCONTENT_SOURCE_DIR_ANTHROPIC_WEBHOOKS_NLOHMANN_JSON=${BINARY_DIR}/pinned/json)
endif()
if(WAY STREQUAL "without_openssl")
  list(APPEND options -D CMAKE_DISABLE_FIND_PACKAGE_OpenSSL=ON)
  run_to_fail("consumer links anthropic::webhooks_verify. That needs OpenSSL 3 with its headers, which CMake did not find. Install libssl-dev"
    ${CMAKE_COMMAND} -S ${CMAKE_CURRENT_LIST_DIR} -B ${BINARY_DIR}/refused ${options}
    -D LIBRARY=${LIBRARY} -D WAY=${WAY} -D LINK_VERIFY=ON)
endif()
if(WAY MATCHES "package")
  run(${CMAKE_COMMAND} -S ${LIBRARY} -B ${BINARY_DIR}/library ${options} -D BUILD_TESTING=OFF)
  run(${CMAKE_COMMAND} --install ${BINARY_DIR}/library --prefix ${BINARY_DIR}/installed)
  file(GLOB_RECURSE installed ${BINARY_DIR}/installed/*)
  file(STRINGS ${BINARY_DIR}/library/install_manifest.txt manifest)
  list(SORT manifest)
  if(NOT installed STREQUAL manifest)
    message(FATAL_ERROR "installed: ${installed}\nin the manifest: ${manifest}")
  endif()
  # Moved, to see that nothing in it names where it was.
  file(RENAME ${BINARY_DIR}/installed ${BINARY_DIR}/prefix)
  list(APPEND options -D CMAKE_PREFIX_PATH=${BINARY_DIR}/prefix -D WAY=package)
  run_to_fail("its component verify needs OpenSSL 3 with its headers, which CMake did not find. Install libssl-dev"
    ${CMAKE_COMMAND} -S ${CMAKE_CURRENT_LIST_DIR} -B ${BINARY_DIR}/refused ${options}
    -D CMAKE_DISABLE_FIND_PACKAGE_OpenSSL=ON)
elseif(WAY STREQUAL "exported")
  run(${CMAKE_COMMAND} -S ${CMAKE_CURRENT_LIST_DIR} -B ${BINARY_DIR}/notifier ${options}
    -D LIBRARY=${LIBRARY} -D WAY=export -D ANTHROPIC_WEBHOOKS_INSTALL=ON)
  run(${CMAKE_COMMAND} --build ${BINARY_DIR}/notifier)
  run(${CMAKE_COMMAND} --install ${BINARY_DIR}/notifier --prefix ${BINARY_DIR}/installed)
  file(RENAME ${BINARY_DIR}/installed ${BINARY_DIR}/prefix)
  list(APPEND options -D CMAKE_PREFIX_PATH=${BINARY_DIR}/prefix -D WAY=exported)
else()
  list(APPEND options -D LIBRARY=${LIBRARY} -D WAY=${WAY})
endif()
run(${CMAKE_COMMAND} -S ${CMAKE_CURRENT_LIST_DIR} -B ${BINARY_DIR}/consumer ${options})
run(${CMAKE_COMMAND} --build ${BINARY_DIR}/consumer)

function(check_consumer program)
  run(${program})
  if(NOT output STREQUAL "vault.created\n")
    message(FATAL_ERROR "unexpected output of ${program}: ${output}")
  endif()
endfunction()
check_consumer(${BINARY_DIR}/consumer/consumer)
run(${BINARY_DIR}/consumer/written_for_1_0)

find_program(pkg_config pkg-config)
if(WAY MATCHES "package" AND pkg_config)
  set(ENV{PKG_CONFIG_PATH} ${BINARY_DIR}/prefix/share/pkgconfig)
  foreach(package IN ITEMS anthropic-webhooks anthropic-webhooks-verify)
    run(${pkg_config} --cflags --libs ${package})
    separate_arguments(flags UNIX_COMMAND "${output}")
    if(package MATCHES "verify")
      list(PREPEND flags -DWITH_VERIFY)
    endif()
    run(${CXX} -std=c++17 ${CMAKE_CURRENT_LIST_DIR}/main.cpp ${flags} -o ${BINARY_DIR}/${package})
    check_consumer(${BINARY_DIR}/${package})
  endforeach()
endif()

run(${CMAKE_COMMAND} --install ${BINARY_DIR}/consumer --prefix ${BINARY_DIR}/nothing)
file(GLOB_RECURSE installed ${BINARY_DIR}/nothing/*)
if(installed)
  message(FATAL_ERROR "the library installs itself with the project that uses it: ${installed}")
endif()
