#include "core/checkpoint/model_directory.h"

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <string_view>
#include <system_error>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "core/base/disk_error.h"
#include "core/base/file_content.h"
#include "core/base/pinned_file.h"
#include "core/base/status_macros.h"

namespace moeprobe {
namespace {

namespace fs = std::filesystem;

fs::path BoundaryOf(const fs::path& directory) {
  const fs::path snapshots = directory.parent_path();
  const fs::path repository = snapshots.parent_path();
  const bool is_snapshot =
      snapshots.filename() == "snapshots" &&
      repository.filename().native().starts_with("models--");
  return is_snapshot ? repository : directory;
}

bool IsInside(const fs::path& path, const fs::path& boundary) {
  return std::ranges::mismatch(boundary, path).in1 == boundary.end();
}

}  // namespace

absl::StatusOr<ModelDirectory> ModelDirectory::Open(const fs::path& directory,
                                                    const fs::path& root) {
  std::error_code error;
  const fs::path real = fs::canonical(directory, error);
  if (error) return DiskError(error.value(), directory);
  const bool is_directory = fs::is_directory(real, error);
  if (error) return DiskError(error.value(), directory);
  if (!is_directory) {
    return absl::NotFoundError(absl::StrCat(
        directory.native(), ": is not a folder, expected a model directory"));
  }
  if (root.empty()) return ModelDirectory(real, BoundaryOf(real));
  const fs::path boundary = fs::canonical(root, error);
  if (error) return DiskError(error.value(), root);
  if (IsInside(real, boundary)) return ModelDirectory(real, boundary);
  return absl::FailedPreconditionError(
      absl::StrCat(directory.native(), ": leads to ", real.native(),
                   ", expected a folder inside ", boundary.native()));
}

absl::StatusOr<bool> ModelDirectory::Contains(std::string_view name) const {
  std::error_code error;
  const fs::file_status status = fs::symlink_status(path_ / name, error);
  if (fs::status_known(status)) return fs::exists(status);
  return DiskError(error.value(), path_ / name);
}

absl::StatusOr<FileContent> ReadFileIn(const ModelDirectory& directory,
                                       std::string_view name,
                                       int64_t max_bytes) {
  MOEPROBE_ASSIGN_OR_RETURN(const PinnedFile file, directory.Find(name));
  absl::StatusOr<FileContent> content = ReadFile(file.handle(), max_bytes);
  if (!content.ok()) return file.Named(content.status());
  return content;
}

}  // namespace moeprobe
