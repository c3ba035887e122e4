#ifndef MOEPROBE_STORAGE_BACKUP_MANIFEST_H_
#define MOEPROBE_STORAGE_BACKUP_MANIFEST_H_

#include <filesystem>
#include <map>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace moeprobe {

// SHA-256 by path below the backup: "moeprobe.db" and "blobs/{sha256}".
using BackupManifest = std::map<std::string, std::string>;

// Writes "manifest" into a backup, in the form of sha256sum.
absl::Status WriteManifest(const std::filesystem::path& backup,
                           const BackupManifest& manifest);

// Reads it. FailedPrecondition if there is none or it names other files.
absl::StatusOr<BackupManifest> ReadManifest(
    const std::filesystem::path& backup);

}  // namespace moeprobe

#endif  // MOEPROBE_STORAGE_BACKUP_MANIFEST_H_
