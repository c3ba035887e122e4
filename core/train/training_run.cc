#include "core/train/training_run.h"

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/train/token_batches.h"
#include "core/train/trainer.h"
#include "core/train/training_checkpoint.h"
#include "core/train/training_config.h"
#include "core/train/training_curves.h"

namespace moeprobe {
namespace {

using Periods = std::initializer_list<std::pair<std::string_view, int64_t>>;

absl::Status CheckPeriods(const TrainingRun& run) {
  for (const auto& [name, steps] :
       Periods{{"evaluate_every", run.evaluate_every},
               {"held_out_windows", run.held_out_windows},
               {"checkpoint_every", run.checkpoint_every}}) {
    if (steps >= 1) continue;
    return absl::InvalidArgumentError(absl::StrCat(
        std::string(name), " is ", steps, ", expected at least 1"));
  }
  return absl::OkStatus();
}

// Whether something is due at a step that is due every so many and at the last.
bool IsDue(int64_t step, int64_t every, int64_t steps) {
  return step % every == 0 || step == steps;
}

// Evaluates and keeps what is due after the steps made so far.
absl::Status Keep(const TrainingRun& run, Trainer& trainer,
                  TrainingCurves& curves) {
  const int64_t step = trainer.step();
  if (IsDue(step, run.evaluate_every, run.training.steps)) {
    curves.AddEvaluation(trainer.HeldOutLoss(run.held_out_windows));
  }
  if (IsDue(step, run.checkpoint_every, run.training.steps)) {
    return WriteCheckpoint(run.directory, run.training, trainer, curves);
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status RunTraining(const TrainingRun& run, const TokenSplit& text,
                         TrainingObserver& observer, TrainingCurves& curves) {
  MOEPROBE_RETURN_IF_ERROR(CheckPeriods(run));
  MOEPROBE_RETURN_IF_ERROR(CheckFamily(run.training));
  MOEPROBE_ASSIGN_OR_RETURN(const std::unique_ptr<Trainer> trainer,
                            Trainer::Create(run.training, text));
  MOEPROBE_ASSIGN_OR_RETURN(
      const bool goes_on,
      RestoreLastCheckpoint(run.directory, *trainer, run.training, curves));
  if (!goes_on) MOEPROBE_RETURN_IF_ERROR(Keep(run, *trainer, curves));
  while (trainer->step() < run.training.steps) {
    const absl::StatusOr<StepReport> report = trainer->Step();
    if (!report.ok()) {
      WriteCheckpoint(run.directory, run.training, *trainer, curves)
          .IgnoreError();  // the step's own error says more
      return report.status();
    }
    curves.AddStep(*report);
    MOEPROBE_RETURN_IF_ERROR(Keep(run, *trainer, curves));
    MOEPROBE_RETURN_IF_ERROR(observer.OnStep(report->step, report->loss));
  }
  return absl::OkStatus();
}

}  // namespace moeprobe
