# Every dependency, found once. Order matters: Protobuf before Torch (see
# MoeprobeTorch.cmake).
find_package(absl CONFIG REQUIRED)
find_package(Eigen3 3.4 CONFIG REQUIRED)
find_package(Protobuf REQUIRED) # Debian ships no config: CMake's FindProtobuf
find_package(gRPC CONFIG REQUIRED)
find_package(SQLiteCpp CONFIG REQUIRED)
find_package(yaml-cpp CONFIG REQUIRED)
find_package(nlohmann_json CONFIG REQUIRED)
find_package(CLI11 CONFIG REQUIRED)
find_package(spdlog CONFIG REQUIRED)
find_package(OpenSSL REQUIRED)
find_package(prometheus-cpp CONFIG REQUIRED)
find_package(Threads REQUIRED)
find_package(GTest CONFIG REQUIRED)
find_package(rapidcheck CONFIG REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(LIBFIU REQUIRED IMPORTED_TARGET libfiu)
# re2::re2 comes from gRPC's own find module. Never pkg_check_modules(re2 ...):
# it caches re2_FOUND, and from the second configure on gRPC then skips its
# module and lacks re2::re2.

# yaml-cpp 0.7 exports its target without a namespace.
if(NOT TARGET yaml-cpp::yaml-cpp)
  add_library(yaml-cpp::yaml-cpp ALIAS yaml-cpp)
endif()

if(MOEPROBE_WORKER)
  include(MoeprobeTorch)
endif()
