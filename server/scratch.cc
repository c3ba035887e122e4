#include "server/scratch.h"

#include <cstdint>
#include <filesystem>
#include <set>
#include <string>
#include <system_error>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"

namespace moeprobe {

namespace fs = std::filesystem;

absl::StatusOr<fs::path> Scratch::Make(int64_t job) const {
  fs::path path = directory_ / absl::StrCat(job);
  std::error_code error;
  fs::create_directories(path, error);
  if (error) return absl::ErrnoToStatus(error.value(), path.native());
  return path;
}

void Scratch::Remove(int64_t job) const {
  std::error_code ignored;
  fs::remove_all(directory_ / absl::StrCat(job), ignored);
}

void Scratch::RemoveAllBut(const std::vector<int64_t>& jobs) const {
  std::set<std::string> kept;
  for (const int64_t job : jobs) kept.insert(absl::StrCat(job));
  std::error_code error;
  for (fs::directory_iterator entry(directory_, error), end;
       !error && entry != end; entry.increment(error)) {
    std::error_code ignored;
    if (!kept.contains(entry->path().filename().string())) {
      fs::remove_all(entry->path(), ignored);
    }
  }
}

}  // namespace moeprobe
