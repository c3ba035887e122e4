#include "storage/draft_directory.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <optional>
#include <system_error>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "core/base/crash_point.h"
#include "core/base/disk_error.h"
#include "core/base/file_lock.h"
#include "core/base/status_macros.h"
#include "core/base/whole_file.h"

namespace moeprobe {
namespace {

namespace fs = std::filesystem;

absl::Status InUse(const fs::path& path) {
  return absl::FailedPreconditionError(absl::StrCat(
      path.native(), ": a backup or restore that runs is writing this: wait ",
      "until it is done, or name another directory"));
}

// Two would write over each other, and the first to be done would publish what
// the other had only begun.
absl::StatusOr<FileLock> Lock(const fs::path& path) {
  MOEPROBE_ASSIGN_OR_RETURN(std::optional<FileLock> lock,
                            FileLock::TryAcquireDirectory(path));
  if (!lock) return InUse(path);
  return *std::move(lock);
}

absl::Status RemoveWhatIsLeft(const fs::path& path) {
  const auto lock = Lock(path);
  if (absl::IsNotFound(lock.status())) return absl::OkStatus();
  MOEPROBE_RETURN_IF_ERROR(lock.status());
  std::error_code error;
  fs::remove_all(path, error);
  return error ? DiskError(error.value(), path) : absl::OkStatus();
}

// Returns 0, or -1 with the reason in errno.
int Rename(const fs::path& from, const fs::path& to,
           DraftDirectory::Over over) {
  if (over == DraftDirectory::Over::kNothing) {
    // NOLINTBEGIN(misc-include-cleaner): Linux has both in stdio.h
    const int done = renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(),
                               RENAME_NOREPLACE);
    // NOLINTEND(misc-include-cleaner)
    // Some file systems, NFS among them, know no such thing.
    if (done == 0 || errno != EINVAL) return done;
  }
  // A directory takes the place of nothing but an empty one.
  return rename(from.c_str(), to.c_str());
}

}  // namespace

absl::StatusOr<DraftDirectory> DraftDirectory::Make(const fs::path& target) {
  std::error_code error;
  fs::create_directories(target.parent_path(), error);
  if (error) return DiskError(error.value(), target.parent_path());
  const fs::path path = target.native() + ".partial";
  MOEPROBE_RETURN_IF_ERROR(RemoveWhatIsLeft(path));
  if (mkdir(path.c_str(), S_IRWXU) != 0) {
    return errno == EEXIST ? InUse(path) : DiskError(errno, path);
  }
  auto lock = Lock(path);
  // Who came by before it was locked may have taken it for what was left.
  if (absl::IsNotFound(lock.status())) return InUse(path);
  MOEPROBE_RETURN_IF_ERROR(lock.status());
  return DraftDirectory(target, path, *std::move(lock));
}

DraftDirectory::~DraftDirectory() {
  if (path_.empty()) return;
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

absl::Status DraftDirectory::Publish(Over over) {
  MOEPROBE_RETURN_IF_ERROR(SyncDirectory(path_));
  CrashPoint("draft-synced-not-named");
  if (Rename(path_, target_, over) != 0) {
    if (errno != EEXIST && errno != ENOTEMPTY) return DiskError(errno, target_);
    return absl::AlreadyExistsError(
        absl::StrCat(target_.native(), ": is there already"));
  }
  path_.clear();
  CrashPoint("draft-named-directory-not-synced");
  return SyncDirectory(target_.parent_path());
}

}  // namespace moeprobe
