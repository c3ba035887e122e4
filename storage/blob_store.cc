#include "storage/blob_store.h"

#include <fcntl.h>
#include <sys/types.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <limits>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "core/base/crash_point.h"
#include "core/base/directory_entries.h"
#include "core/base/disk_error.h"
#include "core/base/file_content.h"
#include "core/base/file_descriptor.h"
#include "core/base/mutex.h"
#include "core/base/sha256.h"
#include "core/base/status_macros.h"
#include "core/base/whole_file.h"

namespace moeprobe {
namespace {

namespace fs = std::filesystem;

constexpr const char* kUnfinished = "unfinished-";
constexpr const char* kUnconfirmed = "new-";
constexpr mode_t kMode = 0600;

fs::path MarkOf(const fs::path& directory, const std::string& sha256) {
  return directory / absl::StrCat(kUnconfirmed, sha256);
}

// Makes an empty file.
absl::Status Mark(const fs::path& path) {
  const FileDescriptor file(
      open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, kMode));
  return file.number() < 0 ? DiskError(errno, path) : absl::OkStatus();
}

absl::Status Remove(const fs::path& path) {
  std::error_code error;
  fs::remove(path, error);
  return error ? DiskError(error.value(), path) : absl::OkStatus();
}

absl::Status Lost(const fs::path& path) {
  return absl::DataLossError(absl::StrCat(
      path.native(), ": missing, or its content has another SHA-256"));
}

}  // namespace

void UnsettledBlobs::Add(const std::string& sha256) {
  const MutexLock lock(mutex_);
  blobs_.insert(sha256);
}

void UnsettledBlobs::Remove(const std::string& sha256) {
  const MutexLock lock(mutex_);
  blobs_.erase(sha256);
}

std::vector<std::string> UnsettledBlobs::All() const {
  const MutexLock lock(mutex_);
  return {blobs_.begin(), blobs_.end()};
}

BlobWriter::BlobWriter(FileDescriptor file, fs::path path, fs::path directory,
                       UnsettledBlobs* unsettled)
    : file_(std::move(file)),
      path_(std::move(path)),
      directory_(std::move(directory)),
      unsettled_(unsettled),
      digest_(std::make_unique<Sha256>()) {}

BlobWriter::~BlobWriter() {
  if (!path_.empty()) unlink(path_.c_str());
}

absl::Status BlobWriter::Append(std::string_view bytes) {
  CrashPoint("blob-growing");
  digest_->Update(bytes);
  size_bytes_ += static_cast<int64_t>(bytes.size());
  return WriteAll(file_, bytes, path_);
}

std::string BlobWriter::Seal() {
  sha256_ = digest_->Hex();
  return sha256_;
}

absl::Status BlobWriter::Commit() {
  CrashPoint("blob-written-not-synced");
  if (fsync(file_.number()) != 0) {
    return DiskError(errno, path_);
  }
  unsettled_->Add(sha256_);
  MOEPROBE_RETURN_IF_ERROR(Mark(MarkOf(directory_, sha256_)));
  CrashPoint("blob-synced-not-named");
  const fs::path target = directory_ / sha256_;
  if (rename(path_.c_str(), target.c_str()) != 0) {
    return DiskError(errno, target);
  }
  path_.clear();
  CrashPoint("blob-named-directory-not-synced");
  return SyncDirectory(directory_);
}

absl::StatusOr<BlobStore> BlobStore::Open(fs::path directory) {
  std::error_code error;
  fs::create_directories(directory, error);
  if (error) return DiskError(error.value(), directory);
  MOEPROBE_ASSIGN_OR_RETURN(const auto entries, DirectoryEntries(directory));
  for (const fs::path& entry : entries) {
    if (!absl::StartsWith(entry.filename().native(), kUnfinished)) continue;
    MOEPROBE_RETURN_IF_ERROR(Remove(entry));
  }
  return BlobStore(std::move(directory));
}

fs::path BlobStore::PathOf(const std::string& sha256) const {
  return directory_ / sha256;
}

absl::StatusOr<bool> BlobStore::DiscardUnneeded(
    const std::vector<std::string>& blobs,
    const std::function<absl::StatusOr<bool>(const std::string&)>& is_needed)
    const {
  const std::unique_lock lock(*discarding_, std::try_to_lock);
  if (!lock) return false;
  for (const std::string& sha256 : blobs) {
    MOEPROBE_ASSIGN_OR_RETURN(const bool needed, is_needed(sha256));
    if (needed) {
      Confirm(sha256);
      continue;
    }
    CrashPoint("blob-unneeded-there");
    MOEPROBE_RETURN_IF_ERROR(Discard(sha256));
  }
  return true;
}

absl::StatusOr<std::vector<std::string>> BlobStore::List() const {
  MOEPROBE_ASSIGN_OR_RETURN(const auto entries, DirectoryEntries(directory_));
  std::vector<std::string> names;
  for (const fs::path& entry : entries) {
    std::string name = entry.filename().string();
    if (absl::StartsWith(name, kUnfinished) ||
        absl::StartsWith(name, kUnconfirmed)) {
      continue;
    }
    names.push_back(std::move(name));
  }
  return names;
}

absl::StatusOr<BlobWriter> BlobStore::NewBlob() const {
  std::string path =
      absl::StrCat((directory_ / kUnfinished).string(), "XXXXXX");
  FileDescriptor file(mkostemp(path.data(), O_CLOEXEC));
  if (file.number() < 0) return DiskError(errno, path);
  return BlobWriter(std::move(file), path, directory_, unsettled_.get());
}

absl::StatusOr<std::string> BlobStore::Put(std::string_view bytes) const {
  MOEPROBE_ASSIGN_OR_RETURN(BlobWriter writer, NewBlob());
  MOEPROBE_RETURN_IF_ERROR(writer.Append(bytes));
  std::string sha256 = writer.Seal();
  MOEPROBE_RETURN_IF_ERROR(writer.Commit());
  return sha256;
}

void BlobStore::Confirm(const std::string& sha256) const {
  unsettled_->Remove(sha256);
  CrashPoint("blob-stays-not-confirmed");
  // Left behind, it is looked at once more at the next start.
  unlink(MarkOf(directory_, sha256).c_str());
}

absl::StatusOr<std::vector<std::string>> BlobStore::Unconfirmed() const {
  MOEPROBE_ASSIGN_OR_RETURN(const auto entries, DirectoryEntries(directory_));
  std::vector<std::string> all;
  for (const fs::path& entry : entries) {
    const std::string name = entry.filename().string();
    if (absl::StartsWith(name, kUnconfirmed)) {
      all.push_back(name.substr(std::string_view(kUnconfirmed).size()));
    }
  }
  return all;
}

absl::Status BlobStore::Discard(const std::string& sha256) const {
  MOEPROBE_RETURN_IF_ERROR(Remove(PathOf(sha256)));
  MOEPROBE_RETURN_IF_ERROR(Remove(MarkOf(directory_, sha256)));
  unsettled_->Remove(sha256);
  return absl::OkStatus();
}

absl::StatusOr<std::string> BlobStore::Read(const std::string& sha256) const {
  const fs::path path = PathOf(sha256);
  auto bytes = ReadBlob(path, std::numeric_limits<int64_t>::max());
  if (absl::IsNotFound(bytes.status())) return Lost(path);
  return bytes;
}

absl::Status BlobStore::ReadInPieces(const std::string& sha256,
                                     PieceVisit visit) const {
  const fs::path path = PathOf(sha256);
  const auto file = OpenRegularFile(path);
  if (absl::IsNotFound(file.status())) return Lost(path);
  MOEPROBE_RETURN_IF_ERROR(file.status());
  Sha256 digest;
  MOEPROBE_RETURN_IF_ERROR(
      VisitPieces(*file, path, [&](std::string_view piece) {
        digest.Update(piece);
        return absl::OkStatus();
      }));
  if (digest.Hex() != sha256) return Lost(path);
  return VisitPieces(*file, path, visit);
}

}  // namespace moeprobe
