#ifndef MOEPROBE_CORE_BASE_FILE_DESCRIPTOR_H_
#define MOEPROBE_CORE_BASE_FILE_DESCRIPTOR_H_

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace moeprobe {

// Owns an open file descriptor and closes it.
class FileDescriptor {
 public:
  explicit FileDescriptor(int number) : number_(number) {}
  ~FileDescriptor();
  FileDescriptor(FileDescriptor&& other) noexcept
      : number_(std::exchange(other.number_, -1)) {}
  FileDescriptor& operator=(FileDescriptor&& other) noexcept {
    std::swap(number_, other.number_);
    return *this;
  }
  FileDescriptor(const FileDescriptor&) = delete;
  FileDescriptor& operator=(const FileDescriptor&) = delete;

  int number() const { return number_; }

  // Gives the descriptor away: whoever gets it closes it.
  int Release() { return std::exchange(number_, -1); }

 private:
  int number_;
};

// Opens a regular file for reading. Symbolic links are followed; a FIFO or a
// device is refused without waiting for it.
//
// Errors name the path: NotFound, FailedPrecondition if it is not a regular
// file, and those of DiskError.
absl::StatusOr<FileDescriptor> OpenRegularFile(
    const std::filesystem::path& path);

// Reads up to buffer.size() bytes at the file's position, however often the
// system interrupts; 0 at the end of the file. `path` is for messages.
absl::StatusOr<size_t> ReadSome(const FileDescriptor& file,
                                std::span<char> buffer,
                                const std::filesystem::path& path);

// Reads at the file's position until `bytes` has `size` of them. Errors: those
// of DiskError; Aborted if the file ends before.
absl::Status ReadUntil(const FileDescriptor& file, size_t size,
                       std::string& bytes, const std::filesystem::path& path);

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_BASE_FILE_DESCRIPTOR_H_
