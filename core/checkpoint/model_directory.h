#ifndef MOEPROBE_CORE_CHECKPOINT_MODEL_DIRECTORY_H_
#define MOEPROBE_CORE_CHECKPOINT_MODEL_DIRECTORY_H_

#include <cstdint>
#include <filesystem>
#include <string_view>
#include <utility>

#include "absl/status/statusor.h"
#include "core/base/file_content.h"
#include "core/base/pinned_file.h"

namespace moeprobe {

// The folder of a model, and how far its symbolic links may lead.
//
// Links to files are followed as long as they end inside the model root. Where
// none is named, they end inside the folder itself or, in a snapshot of a
// Hugging Face cache (models--ORG--NAME/snapshots/REVISION), inside
// models--ORG--NAME, whose blobs/ holds the files.
class ModelDirectory {
 public:
  // `root` may be empty: there is none. Errors: those of DiskError, so NotFound
  // if there is no such folder; FailedPrecondition if it is not inside the
  // root.
  static absl::StatusOr<ModelDirectory> Open(
      const std::filesystem::path& directory,
      const std::filesystem::path& root);

  // Absolute, without symbolic links.
  const std::filesystem::path& path() const { return path_; }

  // Whether there is an entry called `name`, whatever it is. Errors: those of
  // DiskError where that cannot be told.
  absl::StatusOr<bool> Contains(std::string_view name) const;

  // Returns the path of the entry called `name`, a plain name.
  std::filesystem::path PathOf(std::string_view name) const {
    return path_ / name;
  }

  // Returns the file called `name`, to be read by its handle alone: its path
  // may lead elsewhere by then.
  //
  // Errors: those of PinnedFile::Find, so NotFound if it is missing or a link
  // that leads nowhere; FailedPrecondition if it leads out.
  absl::StatusOr<PinnedFile> Find(std::string_view name) const {
    return PinnedFile::Find(PathOf(name), boundary_);
  }

 private:
  ModelDirectory(std::filesystem::path path, std::filesystem::path boundary)
      : path_(std::move(path)), boundary_(std::move(boundary)) {}

  std::filesystem::path path_;
  std::filesystem::path boundary_;  // links end inside
};

// Reads all of the file called `name`. Errors: those of Find() and ReadFile().
absl::StatusOr<FileContent> ReadFileIn(const ModelDirectory& directory,
                                       std::string_view name,
                                       int64_t max_bytes);

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_CHECKPOINT_MODEL_DIRECTORY_H_
