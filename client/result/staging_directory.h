#ifndef MOEPROBE_CLIENT_RESULT_STAGING_DIRECTORY_H_
#define MOEPROBE_CLIENT_RESULT_STAGING_DIRECTORY_H_

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace moeprobe {

// Files that appear in a directory, one by one, only once all of them are
// written. What is not published is removed again, with the directory if it did
// not exist.
class StagingDirectory {
 public:
  // Makes room for files of `target`, which is created if it does not exist.
  //
  // Returns InvalidArgument if that cannot be.
  static absl::StatusOr<StagingDirectory> Create(
      const std::filesystem::path& target);

  ~StagingDirectory();
  StagingDirectory(StagingDirectory&& other) noexcept;
  StagingDirectory& operator=(StagingDirectory&&) = delete;
  StagingDirectory(const StagingDirectory&) = delete;
  StagingDirectory& operator=(const StagingDirectory&) = delete;

  // Where a file is to be written.
  std::filesystem::path PathOf(const std::string& name) const;

  // Writes a file. Returns Internal if that fails, as where the disk is full.
  absl::Status Write(const std::string& name, std::string_view content) const;

  // Moves files into the target, in this order; each replaces one that is
  // there. Returns InvalidArgument at the first that cannot be moved: those
  // before it have been.
  absl::Status Publish(const std::vector<std::string>& names);

 private:
  StagingDirectory(std::filesystem::path target, std::filesystem::path staging,
                   bool created_target);

  std::filesystem::path target_;
  std::filesystem::path staging_;  // empty: moved away
  bool created_target_;
};

}  // namespace moeprobe

#endif  // MOEPROBE_CLIENT_RESULT_STAGING_DIRECTORY_H_
