#include "server/task_builder.h"

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/base/status_macros.h"
#include "moeprobe/v1/worker_service.pb.h"
#include "server/data_catalog.h"
#include "server/job_plan.h"
#include "server/null_groups.h"
#include "server/probe_groups.h"
#include "server/resource_name.h"
#include "server/running_tasks.h"
#include "storage/job.h"

namespace moeprobe {
namespace {

absl::StatusOr<v1::TaskPart> BuildPart(const RunningTask& running,
                                       const PlannedPart& planned,
                                       const MissingOfPart& missing,
                                       DataCatalog& catalog) {
  MOEPROBE_ASSIGN_OR_RETURN(
      const DataLocation location,
      catalog.Locate(planned.data, planned.tokenizer_sha256));
  v1::TaskPart part;
  part.set_prefix(planned.prefix);
  part.set_model(planned.model.name);
  part.set_model_directory(planned.model.directory.string());
  part.set_model_root(planned.model.root.string());
  part.set_data_path(location.path.string());
  part.set_tokenize(location.tokenize);
  part.set_text_sha256(location.text_sha256);
  *part.mutable_data() = planned.data;
  for (const int64_t layer : missing.layers) {
    part.add_layers(static_cast<int32_t>(layer));
  }
  *part.mutable_probes() = ProbesFor(missing.groups, planned.spec.probes());
  *part.mutable_nulls() = NullsFor(missing.groups, planned.spec.nulls());
  part.set_precision(planned.spec.precision());
  part.set_device(running.device);
  part.set_seed(planned.spec.seed());
  part.set_nll(missing.nll);
  if (planned.routing) *part.mutable_routing() = *planned.routing;
  part.set_weights_stamp(planned.stamp);
  for (const auto& [layer, fingerprint] : planned.weights) {
    (*part.mutable_weights_fingerprints())[static_cast<int32_t>(layer)] =
        fingerprint;
  }
  return part;
}

}  // namespace

std::map<int, MissingOfPart> MissingByPart(
    const std::vector<NeededGroup>& groups) {
  std::map<int, MissingOfPart> parts;
  for (const NeededGroup& group : groups) {
    MissingOfPart& part = parts[group.part];
    if (group.probe == kNllGroup) {
      part.nll = true;
    } else if (const auto edited = InterventionLayer(group.probe)) {
      part.layers.insert(*edited);
      part.groups.insert(group.probe);
    } else {
      part.layers.insert(group.layer);
      part.groups.insert(group.probe);
    }
  }
  return parts;
}

absl::Status BuildTask(const std::vector<NeededGroup>& missing,
                       DataCatalog& catalog, RunningTask& running) {
  running.task.set_job(JobName(running.attempt.job));
  running.task.set_attempt(running.attempt.attempt);
  const std::vector<NeededGroup> needed =
      WithoutRepeats(missing, running.plan, running.device);
  for (const auto& [index, part] : MissingByPart(needed)) {
    MOEPROBE_ASSIGN_OR_RETURN(
        *running.task.add_parts(),
        BuildPart(running, running.plan.parts[static_cast<size_t>(index)], part,
                  catalog));
    running.job_parts.push_back(index);
  }
  return absl::OkStatus();
}

}  // namespace moeprobe
