#ifndef MOEPROBE_CORE_BASE_MAPPED_FILE_H_
#define MOEPROBE_CORE_BASE_MAPPED_FILE_H_

#include <cstddef>
#include <filesystem>
#include <span>
#include <utility>

#include "absl/status/statusor.h"
#include "core/base/file_descriptor.h"
#include "core/base/file_identity.h"

namespace moeprobe {

// A whole file mapped read-only into memory. Pages are read when touched.
// Touching a page past the end of a file that was cut meanwhile kills the
// process (SIGBUS), and so does one that cannot be read: only processes that
// may die touch files of others.
class MappedFile {
 public:
  // Errors: those of OpenRegularFile; ResourceExhausted if the address space is
  // used up.
  static absl::StatusOr<MappedFile> Open(const std::filesystem::path& path);

  // Maps a regular file that is open. `path` is for messages. Errors: those of
  // Open().
  static absl::StatusOr<MappedFile> Map(const FileDescriptor& file,
                                        const std::filesystem::path& path);

  ~MappedFile();
  MappedFile(MappedFile&& other) noexcept
      : bytes_(std::exchange(other.bytes_, {})), identity_(other.identity_) {}
  MappedFile& operator=(MappedFile&& other) noexcept {
    std::swap(bytes_, other.bytes_);
    std::swap(identity_, other.identity_);
    return *this;
  }
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  std::span<const std::byte> bytes() const { return bytes_; }

  // Of the file as it was mapped.
  const FileIdentity& identity() const { return identity_; }

 private:
  MappedFile(std::span<const std::byte> bytes, const FileIdentity& identity)
      : bytes_(bytes), identity_(identity) {}

  std::span<const std::byte> bytes_;
  FileIdentity identity_;
};

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_BASE_MAPPED_FILE_H_
