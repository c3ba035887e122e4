#include "storage/backup.h"

#include <cstdint>
#include <filesystem>
#include <string>
#include <system_error>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "core/base/crash_point.h"
#include "core/base/disk_error.h"
#include "core/base/sha256.h"
#include "core/base/status_macros.h"
#include "core/base/whole_file.h"
#include "storage/backup_manifest.h"
#include "storage/blob_references.h"
#include "storage/connection.h"
#include "storage/data_layout.h"
#include "storage/database_copy.h"
#include "storage/draft_directory.h"
#include "storage/log_identity.h"
#include "storage/sql_errors.h"

namespace moeprobe {
namespace {

namespace fs = std::filesystem;

// For this account alone: a copy made by the system is as open as its source.
absl::Status Copy(const fs::path& from, const fs::path& to) {
  std::error_code error;
  fs::copy_file(from, to, error);
  if (!error) {
    fs::permissions(to, fs::perms::owner_read | fs::perms::owner_write, error);
  }
  if (error) return DiskError(error.value(), to);
  return SyncFile(to);
}

// What has its name never changes: a link is as good as a copy.
absl::Status LinkOrCopy(const fs::path& from, const fs::path& to) {
  std::error_code error;
  fs::create_hard_link(from, to, error);
  return error ? Copy(from, to) : absl::OkStatus();
}

absl::Status CheckDigest(const fs::path& path, const std::string& sha256) {
  const auto found = Sha256OfFile(path);
  if (found.ok() && *found == sha256) return absl::OkStatus();
  if (!found.ok() && !absl::IsNotFound(found.status())) return found.status();
  return absl::DataLossError(absl::StrCat(
      path.native(), ": missing, or its content has another SHA-256"));
}

absl::StatusOr<DraftDirectory> MakeDraft(const fs::path& target) {
  MOEPROBE_ASSIGN_OR_RETURN(DraftDirectory draft, DraftDirectory::Make(target));
  const fs::path blobs = draft.path() / kBlobsName;
  std::error_code error;
  fs::create_directory(blobs, error);
  if (error) return DiskError(error.value(), blobs);
  return draft;
}

absl::Status Publish(DraftDirectory draft, DraftDirectory::Over over) {
  CrashPoint("draft-complete-not-synced");
  MOEPROBE_RETURN_IF_ERROR(SyncDirectory(draft.path() / kBlobsName));
  return draft.Publish(over);
}

fs::path BlobName(const std::string& sha256) {
  return fs::path(kBlobsName) / sha256;
}

absl::StatusOr<BackupManifest> CopyBlobs(const fs::path& data_directory,
                                         const fs::path& draft) {
  return CatchSqlErrors([&]() -> absl::StatusOr<BackupManifest> {
    MOEPROBE_ASSIGN_OR_RETURN(const auto database,
                              OpenToRead(draft / kDatabaseName));
    BackupManifest manifest;
    for (const std::string& sha256 : BlobReferences(*database)) {
      const fs::path name = BlobName(sha256);
      MOEPROBE_RETURN_IF_ERROR(CheckDigest(data_directory / name, sha256));
      MOEPROBE_RETURN_IF_ERROR(LinkOrCopy(data_directory / name, draft / name));
      manifest[name.native()] = sha256;
      CrashPoint("backup-between-blobs");
    }
    return manifest;
  });
}

// That a manifest, which anybody can change, has every blob that the database
// of its backup stands for.
absl::Status CheckBlobsAreIn(const BackupManifest& manifest,
                             const fs::path& backup, const fs::path& database) {
  return CatchSqlErrors([&]() -> absl::Status {
    MOEPROBE_ASSIGN_OR_RETURN(const auto connection, OpenToRead(database));
    for (const std::string& sha256 : BlobReferences(*connection)) {
      const fs::path name = BlobName(sha256);
      const auto found = manifest.find(name.native());
      if (found != manifest.end() && found->second == sha256) continue;
      return absl::DataLossError(absl::StrCat(
          (backup / name).native(), ": not in the manifest as the database ",
          "expects it: use another backup"));
    }
    return absl::OkStatus();
  });
}

BackupSize SizeOf(const fs::path& directory, const BackupManifest& manifest) {
  BackupSize size;
  for (const auto& [path, sha256] : manifest) {
    std::error_code ignored;
    ++size.file_count;
    size.size_bytes +=
        static_cast<int64_t>(fs::file_size(directory / path, ignored));
  }
  return size;
}

}  // namespace

absl::StatusOr<BackupSize> WriteBackup(const fs::path& data_directory,
                                       const fs::path& target) {
  std::error_code ignored;
  if (fs::exists(fs::symlink_status(target, ignored))) {
    return absl::AlreadyExistsError(
        absl::StrCat(target.native(), ": is there already"));
  }
  MOEPROBE_ASSIGN_OR_RETURN(DraftDirectory draft, MakeDraft(target));
  CrashPoint("backup-begun");
  const fs::path database = draft.path() / kDatabaseName;
  MOEPROBE_RETURN_IF_ERROR(
      CopyDatabase(data_directory / kDatabaseName, database));
  CrashPoint("backup-has-its-database");
  MOEPROBE_ASSIGN_OR_RETURN(BackupManifest manifest,
                            CopyBlobs(data_directory, draft.path()));
  MOEPROBE_ASSIGN_OR_RETURN(manifest[kDatabaseName], Sha256OfFile(database));
  MOEPROBE_RETURN_IF_ERROR(WriteManifest(draft.path(), manifest));
  MOEPROBE_RETURN_IF_ERROR(
      Publish(std::move(draft), DraftDirectory::Over::kNothing));
  return SizeOf(target, manifest);
}

absl::StatusOr<BackupSize> RestoreBackup(const fs::path& backup,
                                         const fs::path& data_directory) {
  MOEPROBE_ASSIGN_OR_RETURN(const BackupManifest manifest,
                            ReadManifest(backup));
  std::error_code error;
  if (fs::exists(data_directory, error) &&
      !fs::is_empty(data_directory, error)) {
    return absl::FailedPreconditionError(
        absl::StrCat(data_directory.native(), ": is not empty"));
  }
  MOEPROBE_ASSIGN_OR_RETURN(DraftDirectory draft, MakeDraft(data_directory));
  for (const auto& [path, sha256] : manifest) {
    MOEPROBE_RETURN_IF_ERROR(CheckDigest(backup / path, sha256));
    MOEPROBE_RETURN_IF_ERROR(Copy(backup / path, draft.path() / path));
    MOEPROBE_RETURN_IF_ERROR(CheckDigest(draft.path() / path, sha256));
    CrashPoint("restore-between-files");
  }
  const fs::path database = draft.path() / kDatabaseName;
  MOEPROBE_RETURN_IF_ERROR(CheckDatabase(database));
  MOEPROBE_RETURN_IF_ERROR(CheckBlobsAreIn(manifest, backup, database));
  MOEPROBE_RETURN_IF_ERROR(GiveNumber(database));
  MOEPROBE_RETURN_IF_ERROR(SyncFile(database));
  MOEPROBE_RETURN_IF_ERROR(
      Publish(std::move(draft), DraftDirectory::Over::kEmptyDirectory));
  return SizeOf(data_directory, manifest);
}

}  // namespace moeprobe
