#ifndef MOEPROBE_SERVER_TRAINING_PLAN_H_
#define MOEPROBE_SERVER_TRAINING_PLAN_H_

#include <filesystem>

#include "absl/status/statusor.h"
#include "moeprobe/v1/training.pb.h"
#include "server/data_catalog.h"
#include "server/job_plan.h"
#include "server/model_registry.h"
#include "storage/fingerprint_store.h"

namespace moeprobe {

// The group of a trained model's losses and curves, at layer -1.
inline constexpr const char* kTrainingGroup = "training";

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
