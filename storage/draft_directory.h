#ifndef MOEPROBE_STORAGE_DRAFT_DIRECTORY_H_
#define MOEPROBE_STORAGE_DRAFT_DIRECTORY_H_

#include <cstdint>
#include <filesystem>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/base/file_lock.h"

namespace moeprobe {

// A directory that is made beside the one it becomes once it is complete, under
// the name of that one and ".partial". It is removed when it is destroyed,
// unless it was published: where the disk is full its room is needed. What a
// process that died has left there is removed by whoever makes the next one.
class DraftDirectory {
 public:
  // What may have the name that the draft is given.
  enum class Over : std::uint8_t { kNothing, kEmptyDirectory };

  // Makes an empty one that its owner alone can use, and the directories above
  // it. `target` is absolute.
  //
  // FailedPrecondition if there is another for the same target, of this process
  // or not; other errors are those of DiskError.
  static absl::StatusOr<DraftDirectory> Make(
      const std::filesystem::path& target);

  ~DraftDirectory();
  DraftDirectory(DraftDirectory&& other) noexcept
      : target_(std::move(other.target_)),
        path_(std::exchange(other.path_, {})),
        lock_(std::move(other.lock_)) {}
  DraftDirectory& operator=(DraftDirectory&&) = delete;
  DraftDirectory(const DraftDirectory&) = delete;
  DraftDirectory& operator=(const DraftDirectory&) = delete;

  // Until it is published.
  const std::filesystem::path& path() const { return path_; }

  // Gives it the name of the target; the names in it, and its own, are on the
  // disk when this returns.
  //
  // AlreadyExists, with the draft as it was, if the name has something else
  // than `over` allows; other errors are those of DiskError.
  absl::Status Publish(Over over);

 private:
  DraftDirectory(std::filesystem::path target, std::filesystem::path path,
                 FileLock lock)
      : target_(std::move(target)),
        path_(std::move(path)),
        lock_(std::move(lock)) {}

  std::filesystem::path target_;
  std::filesystem::path path_;  // empty: not there any more
  FileLock lock_;               // of the directory
};

}  // namespace moeprobe

#endif  // MOEPROBE_STORAGE_DRAFT_DIRECTORY_H_
