#ifndef MOEPROBE_STORAGE_DOCTOR_H_
#define MOEPROBE_STORAGE_DOCTOR_H_

#include <filesystem>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace moeprobe {

// Something in a data directory that should be otherwise.
struct Finding {
  std::filesystem::path path;
  std::string what;
  // No row of the database stands for it and no process will: it takes room and
  // nothing else. Otherwise something is lost.
  bool is_garbage = false;
};

// Looks at all of a data directory that no server runs on: pages, rows and
// references of the database and, where these are well, its sums, every blob's
// digest, blobs and models that nothing stands for, and what processes left
// that died.
//
// Errors: NotFound where there is no database; those of CheckNoDatabaseIsLost
// and OpenToWrite.
absl::StatusOr<std::vector<Finding>> Examine(
    const std::filesystem::path& data_directory);

// Removes a finding that is garbage.
absl::Status RemoveGarbage(const Finding& finding);

}  // namespace moeprobe

#endif  // MOEPROBE_STORAGE_DOCTOR_H_
