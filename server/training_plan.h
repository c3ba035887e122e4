#ifndef MOEPROBE_SERVER_TRAINING_PLAN_H_
#define MOEPROBE_SERVER_TRAINING_PLAN_H_

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "moeprobe/v1/training.pb.h"
#include "server/data_catalog.h"
#include "server/job_plan.h"
#include "server/model_registry.h"
#include "storage/fingerprint_store.h"

namespace moeprobe {

// The group of a trained model's losses and curves, at layer -1.
inline constexpr const char* kTrainingGroup = "training";

// Returns how many of `tokens` are held out.
int64_t HeldOutCount(int64_t tokens, const v1::TrainingData& data);

// Returns the steps after which models are probed, ascending, and those after
// which they are kept, which include 0 and all of the former.
std::vector<int64_t> ProbedSteps(const v1::TrainSpec& spec);
std::vector<int64_t> KeptSteps(const v1::TrainSpec& spec);

// One model of an experiment, at one step, under one set of gates.
struct TrainedCell {
  int variant = 0;  // its place among the variants
  int64_t seed = 0;
  int64_t step = 0;
  int gates = -1;  // place of the variant whose gates it has; -1: its own
};

// Returns all that a resolved experiment probes, in the order of its parts:
// after the last step also under the gates of `swap_routing`, where those are
// other gates than the model's own.
std::vector<TrainedCell> CellsOf(const v1::TrainSpec& spec);

// Returns how many cells an experiment has, and at how many steps each of its
// models is kept, or some more: without listing them.
int64_t CountParts(const v1::TrainSpec& spec);
int64_t CountKeptSteps(const v1::TrainSpec& spec);

// Returns the prefix of a cell's arrays: "top-2/seed0/step200/", and
// "top-2/seed0/step200/gates-soft/".
std::string PrefixOf(const TrainedCell& cell, const v1::TrainSpec& spec);

// Returns the plan of a resolved experiment: runs, and a part for each cell.
// Its models are kept in directories below `directory`, one for each run, named
// by all that determines it. Errors: its text or its tokenizer is gone.
absl::StatusOr<JobPlan> PlanTraining(const v1::TrainSpec& spec,
                                     const std::filesystem::path& directory,
                                     ModelRegistry& models,
                                     DataCatalog& catalog,
                                     FingerprintStore& fingerprints);

}  // namespace moeprobe

#endif  // MOEPROBE_SERVER_TRAINING_PLAN_H_
