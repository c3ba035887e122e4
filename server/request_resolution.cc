#include "server/request_resolution.h"

#include <utility>

#include "moeprobe/v1/job.pb.h"
#include "server/analysis_resolution.h"
#include "server/data_catalog.h"
#include "server/model_registry.h"
#include "server/training_resolution.h"

namespace moeprobe {

ResolvedRequest ResolveRequest(const v1::Job& job, ModelRegistry& models,
                               DataCatalog& catalog) {
  ResolvedRequest result;
  if (job.has_analyze()) {
    ResolvedAnalysis analysis = ResolveAnalysis(job.analyze(), models, catalog);
    *result.job.mutable_analyze() = std::move(analysis.spec);
    result.violations = std::move(analysis.violations);
    result.warnings = std::move(analysis.warnings);
  } else if (job.has_train()) {
    ResolvedTraining training = ResolveTraining(job.train(), models, catalog);
    *result.job.mutable_train() = std::move(training.spec);
    result.violations = std::move(training.violations);
  } else {
    result.violations.Add("job", "neither analyze nor train, expected one");
  }
  return result;
}

}  // namespace moeprobe
