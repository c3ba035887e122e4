#include "server/worker/confinement.h"

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <system_error>

#include "absl/status/status.h"
#include "core/base/status_macros.h"
#include "server/isolation/file_walls.h"
#include "server/isolation/kernel_walls.h"
#include "server/isolation/network_wall.h"
#include "server/isolation/process_limits.h"
#include "server/worker/tokenizer.h"

namespace moeprobe {
namespace {

namespace fs = std::filesystem;

// An installation of Python, or a virtual environment, by its interpreter.
void AddPython(const fs::path& interpreter, FileAccess& access) {
  if (interpreter.filename().empty()) return;
  const fs::path prefix = interpreter.parent_path().parent_path();
  for (const char* part : {"bin", "lib", "lib64"}) {
    access.runnable.push_back(prefix / part);
  }
  access.readable.push_back(prefix / "pyvenv.cfg");
  // Debian's sitecustomize.
  access.readable.push_back(fs::path("/etc") / interpreter.filename());
}

FileAccess AccessOfPrograms(const TokenizerOptions& tokenizer) {
  FileAccess access = {
      .readable = {"/etc/ld.so.cache", "/etc/localtime", "/proc", "/sys",
                   "/dev/random", "/dev/urandom", "/dev/zero",
                   tokenizer.script},
      .runnable = {"/usr", "/bin", "/lib", "/lib64"},
      .writable = {"/dev/null"}};
  AddPython(tokenizer.python, access);
  std::error_code error;
  const fs::path real = fs::canonical(tokenizer.python, error);
  if (!error) AddPython(real, access);
  return access;
}

}  // namespace

absl::Status Confine(const Confinement& confinement,
                     const TokenizerOptions& tokenizer) {
  MOEPROBE_RETURN_IF_ERROR(LimitProcess(confinement.limits));
  const KernelWalls walls = WallsOfThisKernel();
  const bool names_files =
      !confinement.readable.empty() || !confinement.writable.empty();
  if (names_files && walls.landlock_version > 0) {
    FileAccess access = AccessOfPrograms(tokenizer);
    std::ranges::copy(confinement.readable,
                      std::back_inserter(access.readable));
    std::ranges::copy(confinement.writable,
                      std::back_inserter(access.writable));
    MOEPROBE_RETURN_IF_ERROR(RestrictFiles(access));
  }
  return walls.can_forbid_sockets ? ForbidSockets() : absl::OkStatus();
}

}  // namespace moeprobe
