#include "core/base/resident_pages.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>

namespace moeprobe {
namespace {

// To others mincore(2) says that everything is there.
bool KernelTells(const std::filesystem::path& path) {
  struct stat status{};
  if (stat(path.c_str(), &status) != 0) return false;
  return status.st_uid == geteuid() ||
         faccessat(AT_FDCWD, path.c_str(), W_OK, AT_EACCESS) == 0;
}

// nullopt where it cannot be found out.
std::optional<bool> IsResident(const std::byte* page) {
  unsigned char answer = 0;
  // mincore takes a mutable pointer and writes nothing.
  if (mincore(const_cast<std::byte*>(page), 1, &answer) != 0) {
    return std::nullopt;
  }
  return (answer & 1U) != 0;
}

}  // namespace

std::optional<int64_t> ResidentBytes(std::span<const std::byte> mapping,
                                     const std::filesystem::path& path) {
  if (mapping.empty()) return 0;
  if (!KernelTells(path)) return std::nullopt;
  const auto size = static_cast<int64_t>(mapping.size());
  const int64_t page_bytes = sysconf(_SC_PAGESIZE);
  const int64_t pages = (size + page_bytes - 1) / page_bytes;
  const int64_t sampled = std::min(pages, kSampledPages);
  int64_t resident = 0;
  for (int64_t i = 0; i < sampled; ++i) {
    const int64_t page = i * pages / sampled;
    const auto found = IsResident(mapping.data() + page * page_bytes);
    if (!found) return std::nullopt;
    if (*found) ++resident;
  }
  // The last page may be a part of one.
  return std::min(size, resident * page_bytes * pages / sampled);
}

}  // namespace moeprobe
