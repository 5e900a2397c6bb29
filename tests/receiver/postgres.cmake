# Defines POSTGRES_BIN, the folder with initdb, for a target that starts a PostgreSQL, and links libpq: where both are
# installed, in which case postgres_bin is that folder too. Debian keeps it out of the PATH. Defines PGBOUNCER too,
# the program, where that is installed.
function(target_use_postgres target)
  file(GLOB hints /usr/lib/postgresql/*/bin)
  list(SORT hints COMPARE NATURAL ORDER DESCENDING)
  find_program(INITDB initdb HINTS ${hints})
  if(TARGET PkgConfig::libpq AND INITDB)
    file(REAL_PATH ${INITDB} initdb)
    get_filename_component(bin ${initdb} DIRECTORY)
    target_link_libraries(${target} PRIVATE PkgConfig::libpq)
    target_compile_definitions(${target} PRIVATE POSTGRES_BIN="${bin}")
    find_program(PGBOUNCER pgbouncer HINTS /usr/sbin)
    if(PGBOUNCER)
      target_compile_definitions(${target} PRIVATE PGBOUNCER="${PGBOUNCER}")
    endif()
    set(postgres_bin ${bin} PARENT_SCOPE)
  endif()
endfunction()
