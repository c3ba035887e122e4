#include "core/base/mapped_file.h"

#include <sys/mman.h>

#include <cerrno>
#include <cstddef>
#include <filesystem>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "core/base/disk_error.h"
#include "core/base/file_descriptor.h"
#include "core/base/file_identity.h"
#include "core/base/status_macros.h"

namespace moeprobe {

absl::StatusOr<MappedFile> MappedFile::Open(const std::filesystem::path& path) {
  MOEPROBE_ASSIGN_OR_RETURN(const FileDescriptor file, OpenRegularFile(path));
  return Map(file, path);
}

absl::StatusOr<MappedFile> MappedFile::Map(const FileDescriptor& file,
                                           const std::filesystem::path& path) {
  MOEPROBE_ASSIGN_OR_RETURN(const FileIdentity identity,
                            IdentityOf(file, path));
  const auto size = static_cast<size_t>(identity.size_bytes);
  if (size == 0) return MappedFile({}, identity);  // mmap refuses length 0
  void* address =
      mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file.number(), /*offset=*/0);
  if (address == MAP_FAILED && errno == ENOMEM) {
    return absl::ResourceExhaustedError(absl::StrCat(
        path.native(), ": no address space to map its ", size, " bytes"));
  }
  if (address == MAP_FAILED) return DiskError(errno, path);
  return MappedFile({static_cast<const std::byte*>(address), size}, identity);
}

MappedFile::~MappedFile() {
  if (bytes_.empty()) return;
  munmap(const_cast<std::byte*>(bytes_.data()), bytes_.size());
}

}  // namespace moeprobe
