#ifndef MOEPROBE_STORAGE_BACKUP_H_
#define MOEPROBE_STORAGE_BACKUP_H_

#include <cstdint>
#include <filesystem>

#include "absl/status/statusor.h"

namespace moeprobe {

// How much a backup holds, its manifest left out.
struct BackupSize {
  int64_t file_count = 0;
  int64_t size_bytes = 0;
};

// Writes a backup of a data directory to `target`: the database as it is at one
// moment, the blobs it stands for, and "manifest", their digests in the form of
// sha256sum. Hidden states and models that were trained are left out: they are
// computed again, to the same bytes, when they are asked for. Blobs are hard
// links where `target` is on the same file system. Its name appears once all of
// it is on the disk; nothing is left where it cannot be made.
//
// The database has a connection that writes, in this process.
//
// AlreadyExists if `target` is there, FailedPrecondition if another backup to
// it is being made, DataLoss if something stored is damaged;
// errors of files are those of DiskError.
absl::StatusOr<BackupSize> WriteBackup(
    const std::filesystem::path& data_directory,
    const std::filesystem::path& target);

// Copies a backup to `data_directory`, which is not there yet or is empty, with
// the digest of every file verified, and that no blob is missing which the
// database stands for. Its name appears once all of it is on the disk; nothing
// is left where it cannot be made.
//
// FailedPrecondition if `backup` is none, `data_directory` is not empty or
// another is being restored to it, DataLoss if a file is gone or is not what it
// was.
absl::StatusOr<BackupSize> RestoreBackup(
    const std::filesystem::path& backup,
    const std::filesystem::path& data_directory);

}  // namespace moeprobe

#endif  // MOEPROBE_STORAGE_BACKUP_H_
