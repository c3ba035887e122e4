#include "server/task_builder.h"

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "core/base/status_macros.h"
#include "moeprobe/v1/worker_service.pb.h"
#include "server/data_catalog.h"
#include "server/job_plan.h"
#include "server/null_groups.h"
#include "server/probe_groups.h"
#include "server/resource_name.h"
#include "server/running_tasks.h"
#include "server/training_plan.h"
#include "storage/job.h"

namespace moeprobe {
namespace {

// Fills in where the model and the tokens of a part are.
absl::Status Locate(const PlannedPart& planned, DataCatalog& catalog,
                    v1::TaskPart& part) {
  MOEPROBE_ASSIGN_OR_RETURN(
      const DataLocation location,
      catalog.Locate(planned.data, planned.tokenizer_sha256));
  part.set_model_directory(planned.model.directory.string());
  part.set_model_root(planned.model.root.string());
  part.set_data_path(location.path.string());
  part.set_tokenize(location.tokenize);
  part.set_text_sha256(location.text_sha256);
  part.set_weights_stamp(planned.stamp);
  for (const auto& [layer, fingerprint] : planned.weights) {
    (*part.mutable_weights_fingerprints())[static_cast<int32_t>(layer)] =
        fingerprint;
  }
  return absl::OkStatus();
}

// Names the run that trains the model of a part, which it adds to the task
// unless an earlier part has; `places` says where the plan's runs are in it.
void NameRun(const v1::TrainedModel& trained, const MissingOfPart& missing,
             std::map<int, int>& places, RunningTask& running,
             v1::TaskPart& part) {
  const int run = trained.run();
  const auto [place, is_new] = places.insert({run, running.task.runs_size()});
  if (is_new) {
    *running.task.add_runs() = running.plan.runs[static_cast<size_t>(run)];
  }
  *part.mutable_trained() = trained;
  part.mutable_trained()->set_run(place->second);
  part.mutable_trained()->set_curves(missing.curves);
}

v1::TaskPart BuildPart(const RunningTask& running, const PlannedPart& planned,
                       const MissingOfPart& missing) {
  v1::TaskPart part;
  part.set_prefix(planned.prefix);
  part.set_model(planned.model.name);
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
    } else if (group.probe == kTrainingGroup) {
      part.curves = true;
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
  std::map<int, int> places;
  for (const auto& [index, missing_of_part] : MissingByPart(needed)) {
    const PlannedPart& planned = running.plan.parts[static_cast<size_t>(index)];
    v1::TaskPart part = BuildPart(running, planned, missing_of_part);
    if (planned.trained) {
      NameRun(planned.trained->model, missing_of_part, places, running, part);
    } else {
      MOEPROBE_RETURN_IF_ERROR(Locate(planned, catalog, part));
    }
    *running.task.add_parts() = std::move(part);
    running.job_parts.push_back(index);
  }
  return absl::OkStatus();
}

}  // namespace moeprobe
