#include "server/scratch.h"

#include <cstdint>
#include <filesystem>
#include <set>
#include <string>
#include <system_error>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "core/base/disk_error.h"
#include "moeprobe/v1/worker_service.pb.h"
#include "server/log.h"

namespace moeprobe {

namespace fs = std::filesystem;

absl::Status Scratch::Make(int64_t job, v1::Task& task) const {
  const fs::path path = directory_ / absl::StrCat(job);
  std::error_code error;
  fs::create_directories(path, error);
  if (error) return DiskError(error.value(), path);
  task.set_scratch_directory(path.native());
  task.set_hidden_state_directory(hidden_states_.native());
  task.set_hidden_state_bytes(hidden_state_bytes_);
  return absl::OkStatus();
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
  const absl::Status tidied = hidden_states().Tidy();
  if (!tidied.ok()) LogWarning(tidied.ToString());
}

}  // namespace moeprobe
