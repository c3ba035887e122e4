#include "server/run_cost.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "core/plan/analysis_cost.h"
#include "core/plan/decoder_shape.h"
#include "core/plan/training_cost.h"
#include "moeprobe/v1/worker_service.pb.h"
#include "server/job_plan.h"
#include "server/task_builder.h"
#include "server/variant_resolution.h"

namespace moeprobe {
namespace {

// Passes forward that a step of training takes as long as, and that the probes
// of a model take as long as: averages, PCA and intervals over its tokens.
constexpr double kPassesOfStep = 3;
constexpr double kPassesOfProbes = 30;

DecoderShape ShapeOfRun(const v1::TrainingRun& run) {
  return ShapeOf(run.shape(), run.vocabulary_size(), run.synthetic().outputs());
}

double ForwardSeconds(const v1::TrainingRun& run, int64_t tokens,
                      const v1::MachineRates& rates) {
  const double rate_of_thread = rates.float32_rate() / rates.threads();
  return ForwardOperations(ShapeOfRun(run), run.routing().expert_count(),
                           tokens) /
         rate_of_thread;
}

// Steps beyond the last at which an earlier job or attempt has kept the model.
int64_t StepsLeft(const v1::TrainingRun& run) {
  const std::filesystem::path directory(run.directory());
  const int64_t steps = run.optimizer().steps();
  for (int i = run.kept_steps_size() - 1; i >= 0; --i) {
    const int64_t step = run.kept_steps(i);
    std::error_code ignored;
    if (std::filesystem::exists(directory / absl::StrCat("step-", step),
                                ignored)) {
      return steps - step;
    }
  }
  return steps;
}

double TrainingSeconds(const v1::TrainingRun& run,
                       const v1::MachineRates& rates) {
  const int64_t tokens = TokensOfStep(ShapeOfRun(run), run.optimizer().batch());
  return static_cast<double>(StepsLeft(run)) * kPassesOfStep *
         ForwardSeconds(run, tokens, rates);
}

double ProbingSeconds(const PlannedPart& part, const v1::TrainingRun& run,
                      const v1::MachineRates& rates) {
  const int64_t tokens =
      part.tokens ? part.tokens->token_count : part.data.tokens();
  const double passes =
      kPassesOfProbes * (1 + part.spec.nulls().random_weights());
  return passes * ForwardSeconds(run, tokens, rates);
}

// What it writes: every model it keeps.
int64_t KeptBytes(const v1::TrainingRun& run) {
  constexpr int64_t kNumberBytes = 4;
  const int64_t model = kNumberBytes * StoredNumberCount(ShapeOfRun(run));
  return StepsLeft(run) > 0 ? run.kept_steps_size() * model : 0;
}

int64_t BytesOf(const v1::TrainingRun& run) {
  return TrainingBytes(ShapeOfRun(run), run.routing().expert_count(),
                       run.optimizer().batch());
}

}  // namespace

AnalysisCost CostOfRuns(const JobPlan& plan,
                        const std::map<int, MissingOfPart>& missing,
                        const v1::MachineRates& rates) {
  std::map<int, double> seconds;  // by run
  for (const auto& [index, of_part] : missing) {
    const PlannedPart& part = plan.parts[static_cast<size_t>(index)];
    if (!part.trained) continue;
    const int place = part.trained->model.run();
    const v1::TrainingRun& run = plan.runs[static_cast<size_t>(place)];
    const auto [entry, is_new] =
        seconds.insert({place, TrainingSeconds(run, rates)});
    entry->second += ProbingSeconds(part, run, rates);
  }
  AnalysisCost cost;
  double all = 0, longest = 0;
  int64_t bytes = 0;
  for (const auto& [place, of_run] : seconds) {
    all += of_run;
    longest = std::max(longest, of_run);
    const v1::TrainingRun& run = plan.runs[static_cast<size_t>(place)];
    bytes = std::max(bytes, BytesOf(run));
    cost.disk_write_bytes += KeptBytes(run);
  }
  const auto side_by_side =
      std::min<int64_t>(rates.threads(), static_cast<int64_t>(seconds.size()));
  cost.seconds = std::max(longest, all / rates.threads());
  cost.peak_memory_bytes = rates.resting_bytes() + side_by_side * bytes;
  return cost;
}

}  // namespace moeprobe
