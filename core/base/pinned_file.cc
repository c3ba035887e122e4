#include "core/base/pinned_file.h"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <string>
#include <system_error>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/string_view.h"
#include "core/base/disk_error.h"
#include "core/base/file_descriptor.h"

namespace moeprobe {
namespace {

namespace fs = std::filesystem;

bool IsInside(const fs::path& path, const fs::path& boundary) {
  return std::ranges::mismatch(boundary, path).in1 == boundary.end();
}

}  // namespace

absl::StatusOr<PinnedFile> PinnedFile::Find(const fs::path& path,
                                            const fs::path& boundary) {
  // O_PATH: to open a device, or a FIFO, may do something; this does not.
  FileDescriptor place(open(path.c_str(), O_PATH | O_CLOEXEC));
  if (place.number() < 0) return DiskError(errno, path);
  fs::path handle = absl::StrCat("/proc/self/fd/", place.number());
  std::error_code error;
  const fs::path target = fs::read_symlink(handle, error);
  if (error) return DiskError(error.value(), handle);
  if (IsInside(target, boundary)) {
    return PinnedFile(path, std::move(place), std::move(handle));
  }
  return absl::FailedPreconditionError(
      absl::StrCat(path.native(), ": leads to ", target.native(),
                   ", expected a file inside ", boundary.native()));
}

absl::Status PinnedFile::Named(const absl::Status& status) const {
  absl::Status named(status.code(),
                     absl::StrReplaceAll(std::string(status.message()),
                                         {{handle_.native(), path_.native()}}));
  status.ForEachPayload([&](absl::string_view key, const absl::Cord& value) {
    named.SetPayload(key, value);
  });
  return named;
}

}  // namespace moeprobe
