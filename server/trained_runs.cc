#include "server/trained_runs.h"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <set>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "core/base/disk_error.h"
#include "core/base/status_macros.h"
#include "server/job_plan.h"

namespace moeprobe {
namespace {

namespace fs = std::filesystem;

constexpr const char* kTrained = "trained";
constexpr const char* kAside = "removed-";

}  // namespace

std::optional<std::string> RunOfModel(const std::string& name) {
  const std::vector<std::string> steps = absl::StrSplit(name, '/');
  if (steps.size() < 2 || steps[0] != kTrained) return std::nullopt;
  return steps[1];
}

std::vector<std::string> RunsOf(const JobPlan& plan) {
  std::set<std::string> runs;
  for (const PlannedPart& part : plan.parts) {
    auto run = RunOfModel(part.model.name);
    if (run) runs.insert(*std::move(run));
  }
  return {runs.begin(), runs.end()};
}

absl::StatusOr<std::vector<std::string>> TrainedRuns::Names() const {
  std::vector<std::string> names;
  std::error_code error;
  if (!fs::exists(directory_, error)) return names;
  for (fs::directory_iterator entry(directory_, error), end;
       !error && entry != end; entry.increment(error)) {
    names.push_back(entry->path().filename().string());
  }
  if (error) return DiskError(error.value(), directory_);
  return names;
}

int64_t TrainedRuns::BytesOf(const std::string& run) const {
  int64_t bytes = 0;
  std::error_code error;
  for (fs::recursive_directory_iterator entry(PathOf(run), error), end;
       !error && entry != end; entry.increment(error)) {
    std::error_code gone;
    const uintmax_t size = fs::file_size(entry->path(), gone);
    if (!gone) bytes += static_cast<int64_t>(size);
  }
  return bytes;
}

absl::StatusOr<std::string> TrainedRuns::SetAside(
    const std::string& run) const {
  if (absl::StartsWith(run, kAside)) return run;
  std::string name = absl::StrCat(kAside, run);
  MOEPROBE_RETURN_IF_ERROR(Remove(name));
  std::error_code error;
  fs::rename(PathOf(run), PathOf(name), error);
  if (error && error != std::errc::no_such_file_or_directory) {
    return DiskError(error.value(), PathOf(run));
  }
  return name;
}

absl::Status TrainedRuns::Remove(const std::string& name) const {
  std::error_code error;
  fs::remove_all(PathOf(name), error);
  if (error) return DiskError(error.value(), PathOf(name));
  return absl::OkStatus();
}

}  // namespace moeprobe
