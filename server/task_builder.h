#ifndef MOEPROBE_SERVER_TASK_BUILDER_H_
#define MOEPROBE_SERVER_TASK_BUILDER_H_

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "server/data_catalog.h"
#include "server/running_tasks.h"
#include "storage/job.h"

namespace moeprobe {

// What one part of a job lacks.
struct MissingOfPart {
  std::set<int64_t> layers;
  std::set<std::string> groups;
  bool nll = false;
  bool curves = false;  // of training
};

// Sorts what is missing by the parts of a job.
std::map<int, MissingOfPart> MissingByPart(
    const std::vector<NeededGroup>& groups);

// Fills in the task, its parts and runs for a job that lacks the groups
// `missing`: of every part only the layers and probes that are missing
// somewhere and that no part before it brings. All else of `running` must be
// set, and the task's directories.
absl::Status BuildTask(const std::vector<NeededGroup>& missing,
                       DataCatalog& catalog, RunningTask& running);

}  // namespace moeprobe

#endif  // MOEPROBE_SERVER_TASK_BUILDER_H_
