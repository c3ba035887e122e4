# Warnings and sanitizers, for every target of ours.
add_library(moeprobe_options INTERFACE)
target_compile_options(
  moeprobe_options
  INTERFACE -Wall -Wextra -Wshadow $<$<BOOL:${MOEPROBE_WERROR}>:-Werror>
)
if(MOEPROBE_SANITIZER)
  # For the whole build, generated code included: sanitizers are a property of
  # the program.
  add_compile_options(
    -fsanitize=${MOEPROBE_SANITIZER}
    -fno-sanitize-recover=undefined
    -fno-omit-frame-pointer
  )
  add_link_options(-fsanitize=${MOEPROBE_SANITIZER})
endif()

# moeprobe_library(NAME geometry HDRS ... SRCS ... DEPS ... PRIVATE_DEPS ...)
# DEPS: what the headers include. PRIVATE_DEPS: what only the sources include.
function(moeprobe_library)
  cmake_parse_arguments(ARG "" "NAME" "HDRS;SRCS;DEPS;PRIVATE_DEPS" ${ARGN})
  set(target moeprobe_${ARG_NAME})
  if(ARG_SRCS)
    add_library(${target} STATIC ${ARG_SRCS})
    set(scope PUBLIC)
    target_link_libraries(
      ${target}
      PRIVATE ${ARG_PRIVATE_DEPS} $<BUILD_INTERFACE:moeprobe_options>
    )
  else()
    add_library(${target} INTERFACE)
    set(scope INTERFACE)
  endif()
  add_library(moeprobe::${ARG_NAME} ALIAS ${target})
  target_sources(
    ${target}
    ${scope}
    FILE_SET HEADERS
    BASE_DIRS
    "${PROJECT_SOURCE_DIR}"
    FILES
    ${ARG_HDRS}
  )
  set_target_properties(${target} PROPERTIES VERIFY_INTERFACE_HEADER_SETS ON)
  target_link_libraries(${target} ${scope} ${ARG_DEPS})
endfunction()

# moeprobe_program(moeprobe-server SRCS ... DEPS ...)
# TORCH: it needs LibTorch. ON_REQUEST: it is built where it is named as a
# target, and not installed.
function(moeprobe_program name)
  cmake_parse_arguments(ARG "TORCH;ON_REQUEST" "" "SRCS;DEPS" ${ARGN})
  add_executable(${name} ${ARG_SRCS})
  set_target_properties(
    ${name}
    PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/bin"
  )
  target_link_libraries(${name} PRIVATE ${ARG_DEPS} moeprobe_options)
  if(ARG_TORCH)
    set_target_properties(
      ${name}
      PROPERTIES INSTALL_RPATH "${MOEPROBE_TORCH_LIB_DIR}"
    )
  endif()
  if(ARG_ON_REQUEST)
    set_target_properties(${name} PROPERTIES EXCLUDE_FROM_ALL ON)
    return()
  endif()
  install(TARGETS ${name} RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}")
endfunction()

# moeprobe_test(grassmann DEPS ...)
# TORCH: it computes with LibTorch. ENVIRONMENT: a variable that it is to have,
# NAME=VALUE.
function(moeprobe_test name)
  cmake_parse_arguments(ARG "TORCH" "ENVIRONMENT" "DEPS;LABELS" ${ARGN})
  add_executable(${name}_test ${name}_test.cc)
  # A third less to compile; what a test waits for is in the libraries.
  target_compile_options(${name}_test PRIVATE $<$<CONFIG:Release>:-O1>)
  target_link_libraries(
    ${name}_test
    PRIVATE
      ${ARG_DEPS}
      GTest::gmock
      $<IF:$<BOOL:${ARG_TORCH}>,moeprobe::torch_test_main,GTest::gtest_main>
      moeprobe_options
  )
  # An empty value would be lost on the way.
  set(properties)
  foreach(property LABELS ENVIRONMENT)
    if(ARG_${property})
      list(APPEND properties ${property} "${ARG_${property}}")
    endif()
  endforeach()
  # A busy machine takes longer than five seconds to load LibTorch.
  gtest_discover_tests(
    ${name}_test
    DISCOVERY_TIMEOUT 120
    PROPERTIES ${properties}
  )
endfunction()
