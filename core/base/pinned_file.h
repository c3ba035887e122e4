#ifndef MOEPROBE_CORE_BASE_PINNED_FILE_H_
#define MOEPROBE_CORE_BASE_PINNED_FILE_H_

#include <filesystem>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/base/file_descriptor.h"

namespace moeprobe {

// A file that was found, once and for all: whatever its path leads to later,
// the handle leads to the same file.
class PinnedFile {
 public:
  // Finds what `path` leads to, by whatever symbolic links, if it lies inside
  // `boundary`, a directory given absolutely and without symbolic links. Where
  // it lies is asked of the file that was found, and what lies outside is not
  // opened.
  //
  // Errors: those of DiskError, so NotFound where there is none;
  // FailedPrecondition, which says where it leads, if that is outside.
  static absl::StatusOr<PinnedFile> Find(const std::filesystem::path& path,
                                         const std::filesystem::path& boundary);

  // A path to open it by, while the object lives.
  const std::filesystem::path& handle() const { return handle_; }

  // Returns what is said of the handle as said of the path, and what is beside
  // it as it was.
  absl::Status Named(const absl::Status& status) const;

 private:
  PinnedFile(std::filesystem::path path, FileDescriptor place,
             std::filesystem::path handle)
      : path_(std::move(path)),
        place_(std::move(place)),
        handle_(std::move(handle)) {}

  std::filesystem::path path_;
  FileDescriptor place_;
  std::filesystem::path handle_;
};

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_BASE_PINNED_FILE_H_
