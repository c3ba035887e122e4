#include "server/model_files.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "core/base/disk_error.h"
#include "core/base/file_content.h"
#include "core/base/file_descriptor.h"
#include "core/base/mapped_file.h"
#include "core/base/pinned_file.h"
#include "core/base/resident_pages.h"
#include "core/base/status_macros.h"
#include "core/checkpoint/model_directory.h"
#include "core/checkpoint/weight_files.h"
#include "core/checkpoint/weight_index.h"

namespace moeprobe {
namespace {

// Between two looks at whether to go on: some milliseconds of a fast disk.
constexpr size_t kPieceBytes = size_t{16} << 20;

absl::StatusOr<std::vector<std::string>> WeightNames(
    const ModelDirectory& directory) {
  MOEPROBE_ASSIGN_OR_RETURN(const bool is_single,
                            directory.Contains(kSingleWeightFile));
  if (is_single) {
    return std::vector{std::string(kSingleWeightFile)};
  }
  MOEPROBE_ASSIGN_OR_RETURN(
      const FileContent index,
      ReadFileIn(directory, kWeightIndexFile, kMaxWeightIndexBytes));
  MOEPROBE_ASSIGN_OR_RETURN(const WeightIndex shards,
                            ParseWeightIndex(index.bytes));
  std::vector<std::string> names;
  names.reserve(shards.size());
  for (const auto& [name, tensors] : shards) names.push_back(name);
  return names;
}

// Calls `read` with one piece of a file after another.
absl::Status ForPieces(
    std::span<const std::byte> mapping, const std::function<bool()>& go_on,
    const std::function<absl::Status(std::span<const std::byte>)>& read) {
  while (!mapping.empty() && go_on()) {
    const size_t size = std::min(mapping.size(), kPieceBytes);
    MOEPROBE_RETURN_IF_ERROR(read(mapping.first(size)));
    mapping = mapping.subspan(size);
  }
  return absl::OkStatus();
}

absl::Status LockError(int error_number, const std::filesystem::path& path) {
  if (error_number != ENOMEM && error_number != EPERM &&
      error_number != EAGAIN) {
    return absl::ErrnoToStatus(error_number, path.native());
  }
  return absl::FailedPreconditionError(absl::StrCat(
      path.native(),
      ": the server may not lock so much memory, or there is not so much; "
      "have it started with a higher limit (LimitMEMLOCK=infinity in its "
      "systemd unit, or ulimit -l)"));
}

}  // namespace

absl::StatusOr<ModelFiles> ModelFiles::Open(
    const std::filesystem::path& directory, const std::filesystem::path& root) {
  MOEPROBE_ASSIGN_OR_RETURN(const ModelDirectory opened,
                            ModelDirectory::Open(directory, root));
  MOEPROBE_ASSIGN_OR_RETURN(const std::vector<std::string> names,
                            WeightNames(opened));
  std::vector<File> files;
  for (const std::string& name : names) {
    MOEPROBE_ASSIGN_OR_RETURN(const PinnedFile found, opened.Find(name));
    auto descriptor = OpenRegularFile(found.handle());
    if (!descriptor.ok()) return found.Named(descriptor.status());
    auto mapping = MappedFile::Open(found.handle());
    if (!mapping.ok()) return found.Named(mapping.status());
    files.push_back({.path = opened.PathOf(name),
                     .descriptor = *std::move(descriptor),
                     .mapping = *std::move(mapping)});
  }
  return ModelFiles(std::move(files));
}

int64_t ModelFiles::size_bytes() const {
  int64_t bytes = 0;
  for (const File& file : files_) {
    bytes += static_cast<int64_t>(file.mapping.bytes().size());
  }
  return bytes;
}

std::optional<int64_t> ModelFiles::ResidentBytes() const {
  int64_t bytes = 0;
  for (const File& file : files_) {
    const auto resident =
        moeprobe::ResidentBytes(file.mapping.bytes(), file.path);
    if (!resident) return std::nullopt;
    bytes += *resident;
  }
  return bytes;
}

absl::Status ModelFiles::Read(const std::function<bool()>& go_on) const {
  std::vector<char> buffer(kPieceBytes);
  for (const File& file : files_) {
    if (lseek(file.descriptor.number(), 0, SEEK_SET) < 0) {
      return DiskError(errno, file.path);
    }
    MOEPROBE_RETURN_IF_ERROR(ForPieces(
        file.mapping.bytes(), go_on,
        [&](std::span<const std::byte> piece) -> absl::Status {
          return ReadSome(file.descriptor,
                          std::span(buffer).first(piece.size()), file.path)
              .status();
        }));
  }
  return absl::OkStatus();
}

absl::Status ModelFiles::Lock() const {
  for (const File& file : files_) {
    const std::span<const std::byte> bytes = file.mapping.bytes();
    if (!bytes.empty() &&
        mlock2(bytes.data(), bytes.size(), MLOCK_ONFAULT) != 0) {
      return LockError(errno, file.path);
    }
  }
  return absl::OkStatus();
}

absl::Status ModelFiles::ReadLocked(const std::function<bool()>& go_on) const {
  for (const File& file : files_) {
    MOEPROBE_RETURN_IF_ERROR(
        ForPieces(file.mapping.bytes(), go_on,
                  [&](std::span<const std::byte> piece) -> absl::Status {
                    if (mlock(piece.data(), piece.size()) == 0) {
                      return absl::OkStatus();
                    }
                    return LockError(errno, file.path);
                  }));
  }
  return absl::OkStatus();
}

absl::Status ModelFiles::Drop() const {
  for (const File& file : files_) {
    const int error =
        posix_fadvise(file.descriptor.number(), 0, 0, POSIX_FADV_DONTNEED);
    if (error != 0) return DiskError(error, file.path);
  }
  return absl::OkStatus();
}

}  // namespace moeprobe
