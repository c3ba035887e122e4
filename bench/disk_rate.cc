#include "bench/disk_rate.h"

#include <fcntl.h>
#include <sys/types.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <filesystem>
#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "bench/repeated_runs.h"
#include "core/base/file_descriptor.h"

namespace moeprobe {
namespace {

constexpr size_t kPieceBytes = size_t{16} << 20U;
constexpr size_t kMostBytes = size_t{1} << 30U;
constexpr size_t kFewestBytes = size_t{64} << 20U;
constexpr size_t kAlignment = 4096;  // that O_DIRECT asks of memory

struct Free {
  void operator()(void* memory) const { std::free(memory); }
};

// Reads whole pieces until the end or `kMostBytes`; returns how many bytes.
size_t ReadPieces(int file, void* piece) {
  size_t total = 0;
  while (total < kMostBytes) {
    const ssize_t count = read(file, piece, kPieceBytes);
    if (count <= 0) break;
    total += static_cast<size_t>(count);
  }
  return total;
}

}  // namespace

absl::StatusOr<double> DiskRate(const std::filesystem::path& file) {
  const FileDescriptor descriptor(
      open(file.c_str(), O_RDONLY | O_DIRECT | O_CLOEXEC));
  if (descriptor.number() < 0) {
    return absl::ErrnoToStatus(errno, file.string());
  }
  const std::unique_ptr<void, Free> piece(
      std::aligned_alloc(kAlignment, kPieceBytes));
  size_t bytes = 0;
  const double seconds =
      Seconds([&] { bytes = ReadPieces(descriptor.number(), piece.get()); });
  if (bytes < kFewestBytes) {
    return absl::FailedPreconditionError(absl::StrCat(
        file.string(), ": read ", bytes, " bytes, expected at least ",
        kFewestBytes, " to measure a rate"));
  }
  return static_cast<double>(bytes) / seconds;
}

}  // namespace moeprobe
