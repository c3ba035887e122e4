#ifndef MOEPROBE_SERVER_MODEL_FILES_H_
#define MOEPROBE_SERVER_MODEL_FILES_H_

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/base/file_descriptor.h"
#include "core/base/mapped_file.h"

namespace moeprobe {

// The files of a model's weights, as far as they are in memory: the page cache
// that all processes of a machine share. They are mapped, but no page is
// touched through the mapping, so that a file which is cut meanwhile does no
// harm. Not thread-safe, but for the sizes.
class ModelFiles {
 public:
  // Finds the files of a model directory below a model root. Errors as
  // Checkpoint::Open.
  static absl::StatusOr<ModelFiles> Open(const std::filesystem::path& directory,
                                         const std::filesystem::path& root);

  int64_t size_bytes() const;

  // Returns how much is in memory; nullopt where the kernel does not tell.
  std::optional<int64_t> ResidentBytes() const;

  // Reads all of it into memory, in file order, where it stays as long as
  // nobody needs the room. Stops early, with OK, once `go_on` says no.
  absl::Status Read(const std::function<bool()>& go_on) const;

  // Locks the files into memory, as long as the object lives: what is there
  // stays, and so does what comes. Reads nothing. FailedPrecondition, with what
  // to change, if that is more than this process may lock.
  absl::Status Lock() const;

  // Reads all of what Lock() has locked, as Read() does; then it is all there,
  // for sure.
  absl::Status ReadLocked(const std::function<bool()>& go_on) const;

  // Lets go of what nobody has mapped or locked.
  absl::Status Drop() const;

 private:
  struct File {
    std::filesystem::path path;
    FileDescriptor descriptor;
    MappedFile mapping;
  };
  explicit ModelFiles(std::vector<File> files) : files_(std::move(files)) {}

  std::vector<File> files_;
};

}  // namespace moeprobe

#endif  // MOEPROBE_SERVER_MODEL_FILES_H_
