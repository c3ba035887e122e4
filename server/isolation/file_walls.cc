#include "server/isolation/file_walls.h"

#include <fcntl.h>
#include <linux/landlock.h>
#include <linux/prctl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <iterator>
#include <vector>

#include "absl/status/status.h"
#include "core/base/file_descriptor.h"
#include "core/base/status_macros.h"

namespace moeprobe {
namespace {

namespace fs = std::filesystem;

// What the headers of Debian 12 do not have yet: <linux/landlock.h> of Linux
// 6.12.
constexpr uint64_t kTruncate = uint64_t{1} << 14;
constexpr uint64_t kAskDevices = uint64_t{1} << 15;
constexpr uint64_t kScopes = 0b11;  // abstract sockets, signals
struct RulesetAttributes {
  uint64_t files = 0;
  uint64_t network = 0;
  uint64_t scopes = 0;
};

constexpr uint64_t kRead =
    LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR;
constexpr uint64_t kRun = kRead | LANDLOCK_ACCESS_FS_EXECUTE;
constexpr uint64_t kWrite =
    kRead | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR |
    LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_DIR |
    LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_REFER | kTruncate;
// Of these, what can be done with a file that is no directory.
constexpr uint64_t kOfFiles = LANDLOCK_ACCESS_FS_EXECUTE |
                              LANDLOCK_ACCESS_FS_READ_FILE |
                              LANDLOCK_ACCESS_FS_WRITE_FILE | kTruncate;

// All that this version watches over.
RulesetAttributes WatchedBy(int version) {
  RulesetAttributes watched;
  watched.files = LANDLOCK_ACCESS_FS_MAKE_SYM * 2 - 1;  // all of version 1
  if (version >= 2) watched.files |= LANDLOCK_ACCESS_FS_REFER;
  if (version >= 3) watched.files |= kTruncate;
  if (version >= 5) watched.files |= kAskDevices;
  if (version >= 6) watched.scopes = kScopes;
  return watched;
}

// An older kernel knows only the first of the attributes.
size_t SizeOfAttributes(int version) {
  if (version >= 6) return sizeof(RulesetAttributes);
  return version >= 4 ? offsetof(RulesetAttributes, scopes)
                      : offsetof(RulesetAttributes, network);
}

absl::Status Allow(const FileDescriptor& ruleset, const fs::path& path,
                   uint64_t rights) {
  const FileDescriptor file(open(path.c_str(), O_PATH | O_CLOEXEC));
  if (file.number() < 0) return absl::OkStatus();  // it is not there
  struct stat information;
  if (fstat(file.number(), &information) != 0) {
    return absl::ErrnoToStatus(errno, path.native());
  }
  if (!S_ISDIR(information.st_mode)) rights &= kOfFiles;
  const landlock_path_beneath_attr rule = {.allowed_access = rights,
                                           .parent_fd = file.number()};
  if (syscall(SYS_landlock_add_rule, ruleset.number(),
              LANDLOCK_RULE_PATH_BENEATH, &rule, 0) == 0) {
    return absl::OkStatus();
  }
  return absl::ErrnoToStatus(errno, path.native());
}

absl::Status AllowAll(const FileDescriptor& ruleset,
                      const std::vector<fs::path>& paths, uint64_t rights) {
  for (const fs::path& path : paths) {
    MOEPROBE_RETURN_IF_ERROR(Allow(ruleset, path, rights));
  }
  return absl::OkStatus();
}

absl::Status CheckSingleThread() {
  const fs::directory_iterator threads("/proc/self/task");
  if (std::distance(threads, fs::directory_iterator()) == 1) {
    return absl::OkStatus();
  }
  return absl::FailedPreconditionError(
      "walls around files: the process has several threads");
}

}  // namespace

int LandlockVersion() {
  const auto version = syscall(SYS_landlock_create_ruleset, nullptr, 0,
                               LANDLOCK_CREATE_RULESET_VERSION);
  return version < 0 ? 0 : static_cast<int>(version);
}

absl::Status RestrictFiles(const FileAccess& access) {
  const int version = LandlockVersion();
  if (version == 0) return absl::UnimplementedError("there is no Landlock");
  MOEPROBE_RETURN_IF_ERROR(CheckSingleThread());
  const RulesetAttributes watched = WatchedBy(version);
  const FileDescriptor ruleset(static_cast<int>(syscall(
      SYS_landlock_create_ruleset, &watched, SizeOfAttributes(version), 0)));
  if (ruleset.number() < 0) return absl::ErrnoToStatus(errno, "Landlock rules");
  MOEPROBE_RETURN_IF_ERROR(
      AllowAll(ruleset, access.readable, kRead & watched.files));
  MOEPROBE_RETURN_IF_ERROR(
      AllowAll(ruleset, access.runnable, kRun & watched.files));
  MOEPROBE_RETURN_IF_ERROR(
      AllowAll(ruleset, access.writable, kWrite & watched.files));
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
      syscall(SYS_landlock_restrict_self, ruleset.number(), 0) == 0) {
    return absl::OkStatus();
  }
  return absl::ErrnoToStatus(errno, "Landlock");
}

}  // namespace moeprobe
