#ifndef MOEPROBE_SERVER_JOB_PLAN_H_
#define MOEPROBE_SERVER_JOB_PLAN_H_

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "moeprobe/v1/analysis.pb.h"
#include "moeprobe/v1/job.pb.h"
#include "moeprobe/v1/worker_service.pb.h"
#include "server/data_catalog.h"
#include "server/model_registry.h"
#include "spec/sweep_cells.h"
#include "storage/fingerprint_store.h"
#include "storage/job.h"

namespace moeprobe {

// A model that is trained on the way, and digests of all that determines it.
struct PlannedModel {
  v1::TrainedModel model;
  std::string weights;   // determines what its layers show
  std::string curves;    // and its curves
  std::string tokens;    // determines what it is probed on
  bool is_kept = false;  // all models that its run keeps are there
};

// One model on one data set of a job, and what is known of both.
struct PlannedPart {
  // Of its arrays: "", "baseline/", "data1/baseline/", "sweep3/baseline/",
  // "top-2/seed0/step200/".
  std::string prefix;
  v1::AnalyzeSpec spec;  // resolved, of its cell where the request has a sweep
  OpenedModel model;     // only its name where it is to be trained
  std::optional<PlannedModel> trained;  // by one of the plan's runs
  int32_t layer_count = 0;              // of the model
  v1::DataSpec data;
  std::optional<v1::RoutingRule> routing;  // nullopt: the model's own
  std::vector<int32_t> layers;
  bool nll = false;                        // the loss is computed
  std::vector<int32_t> edited_layers;      // that interventions change
  std::string tokenizer_sha256;            // where the data is text
  std::string stamp;                       // of the model's files
  std::map<int64_t, std::string> weights;  // known fingerprints, by layer
  std::optional<CutData> tokens;           // where they are known
};

// What a resolved request needs.
struct JobPlan {
  std::vector<v1::TrainingRun> runs;  // of models that are to be trained
  std::vector<PlannedPart> parts;
  // With keys, where they are known. Curves have none while a model that their
  // run keeps is not there: a job that trains models makes them, too, whatever
  // the cache holds.
  std::vector<NeededGroup> groups;
};

// Plans jobs by what models, data and fingerprints are there. Thread-safe.
class JobPlanner {
 public:
  // All must outlive the planner. Trained models are kept below
  // `trained_directory`.
  JobPlanner(ModelRegistry* models, DataCatalog* catalog,
             FingerprintStore* fingerprints,
             std::filesystem::path trained_directory)
      : models_(models),
        catalog_(catalog),
        fingerprints_(fingerprints),
        trained_directory_(std::move(trained_directory)) {}

  // Returns the planner for a request whose models are found in `models`, which
  // must outlive it. Of one thread at a time, as these are.
  JobPlanner With(ModelRegistry* models) const {
    JobPlanner planner = *this;
    planner.models_ = models;
    return planner;
  }

  // Returns the plan of a job, of which only the resolved spec is looked at,
  // that runs on `device`, which is never DEVICE_AUTO. Errors: NotFound where a
  // model or a data set is not there; what may pass (MayPass) where one cannot
  // be read at the moment; FailedPrecondition and others where one cannot be
  // used any more.
  absl::StatusOr<JobPlan> Plan(const v1::Job& job, v1::Device device);

 private:
  absl::StatusOr<JobPlan> PlanParts(const v1::Job& job);
  absl::Status AddCell(const SweepCell& cell, JobPlan& plan);
  absl::StatusOr<PlannedPart> PlanPart(const SweepCell& cell, int data_index,
                                       bool is_baseline);

  ModelRegistry* models_;
  DataCatalog* catalog_;
  FingerprintStore* fingerprints_;
  std::filesystem::path trained_directory_;
};

// Returns where a job wants to be computed.
v1::Device DeviceOf(const v1::Job& job);

// What determines the numbers of a layer of a part beside its spec.
struct LayerSource {
  std::string weights_fingerprint;
  std::string data_fingerprint;
};

// Returns the source of a layer of a part, as far as it is known.
std::optional<LayerSource> KnownSource(const PlannedPart& part, int64_t layer);

// Returns the key of the cache for a group of a part.
std::string KeyOfGroup(const PlannedPart& part, const LayerSource& source,
                       v1::Device device, int64_t layer,
                       const std::string& group);

// Returns `groups` of a plan without those that another one before them stands
// for: parts of a sweep have much in common, also while no fingerprint is
// known.
std::vector<NeededGroup> WithoutRepeats(const std::vector<NeededGroup>& groups,
                                        const JobPlan& plan, v1::Device device);

// Returns the groups of a plan, with keys, that a layer of part `index` tells
// the source of: those at the same layer of every part with the same model and
// data.
std::vector<NeededGroup> GroupsOfSource(const JobPlan& plan, int index,
                                        const LayerSource& source,
                                        v1::Device device, int64_t layer);

// Returns where the numbers of a part come from, as far as it is known without
// running it; nullopt where a fingerprint is not known.
std::optional<std::string> KnownProvenance(const PlannedPart& part);

}  // namespace moeprobe

#endif  // MOEPROBE_SERVER_JOB_PLAN_H_
