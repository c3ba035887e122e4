#ifndef MOEPROBE_SERVER_TRAINED_RUNS_H_
#define MOEPROBE_SERVER_TRAINED_RUNS_H_

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "server/job_plan.h"

namespace moeprobe {

// Returns the run of a model named "trained/{run}/..."; nullopt for any other.
std::optional<std::string> RunOfModel(const std::string& name);

// Returns the names of the training runs whose models a job trains or analyses,
// sorted, each once.
std::vector<std::string> RunsOf(const JobPlan& plan);

// The directories of training runs, each named by its run. Thread-safe.
class TrainedRuns {
 public:
  explicit TrainedRuns(std::filesystem::path directory)
      : directory_(std::move(directory)) {}

  std::filesystem::path PathOf(const std::string& run) const {
    return directory_ / run;
  }

  // Returns the names of all that is there, remains of removed runs included;
  // none where there is no directory.
  absl::StatusOr<std::vector<std::string>> Names() const;

  // Returns the bytes of a run's files; 0 where there are none.
  int64_t BytesOf(const std::string& run) const;

  // Takes a run's directory away, so that there is none of that name at once,
  // and returns its new name for Remove(). What is not there is not missed, and
  // what is aside already stays.
  absl::StatusOr<std::string> SetAside(const std::string& run) const;

  // Removes a directory with all that is in it.
  absl::Status Remove(const std::string& name) const;

 private:
  std::filesystem::path directory_;
};

}  // namespace moeprobe

#endif  // MOEPROBE_SERVER_TRAINED_RUNS_H_
