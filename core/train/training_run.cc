#include "core/train/training_run.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/base/crash_point.h"
#include "core/base/disk_error.h"
#include "core/base/file_lock.h"
#include "core/base/status_macros.h"
#include "core/train/token_split.h"
#include "core/train/trainer.h"
#include "core/train/training_checkpoint.h"
#include "core/train/training_config.h"
#include "core/train/training_curves.h"

namespace moeprobe {
namespace {

constexpr std::chrono::milliseconds kPoll{100};

absl::Status CheckRun(const TrainingRun& run) {
  const std::vector<int64_t>& kept = run.kept_steps;
  if (run.held_out_windows < 1) {
    return absl::InvalidArgumentError(absl::StrCat(
        "held_out_windows is ", run.held_out_windows, ", expected at least 1"));
  }
  if (!kept.empty() && kept.front() == 0 && kept.back() == run.training.steps &&
      std::ranges::is_sorted(kept, std::less_equal())) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(absl::StrCat(
      "kept_steps are ", absl::StrJoin(kept, ", "),
      ", expected ascending steps from 0 to ", run.training.steps));
}

// Waits until nobody else trains in the directory.
absl::StatusOr<FileLock> LockDirectory(const std::filesystem::path& directory,
                                       TrainingObserver& observer) {
  std::error_code error;
  std::filesystem::create_directories(directory, error);
  if (error) return DiskError(error.value(), directory);
  while (true) {
    MOEPROBE_ASSIGN_OR_RETURN(std::optional<FileLock> lock,
                              FileLock::TryAcquire(directory / "lock"));
    if (lock) return *std::move(lock);
    MOEPROBE_RETURN_IF_ERROR(observer.OnWait());
    std::this_thread::sleep_for(kPoll);
  }
}

// Returns the step to go on from; nullopt if there is none, or if a step that
// was kept on the way to it is lost.
std::optional<int64_t> StepToGoOnFrom(const TrainingRun& run) {
  const std::optional<int64_t> last = LastCheckpoint(run.directory);
  if (!last) return std::nullopt;
  const bool all_there = std::ranges::all_of(run.kept_steps, [&](int64_t step) {
    return step > *last || HasCheckpoint(run.directory, step);
  });
  return all_there ? last : std::nullopt;
}

// Whether the model is evaluated and kept after the steps made so far.
bool IsDue(const TrainingRun& run, const Trainer& trainer) {
  return std::ranges::binary_search(run.kept_steps, trainer.step());
}

// Writes the checkpoint of the steps made so far. One that is due is never
// there without its evaluation: a run that goes on from it makes none.
absl::Status Write(const TrainingRun& run, Trainer& trainer,
                   TrainingCurves& curves) {
  if (IsDue(run, trainer)) {
    curves.AddEvaluation(trainer.HeldOutLoss(run.held_out_windows));
  }
  return WriteCheckpoint(run.directory, run.training, trainer, curves);
}

absl::Status KeepIfDue(const TrainingRun& run, Trainer& trainer,
                       TrainingObserver& observer, TrainingCurves& curves) {
  if (!IsDue(run, trainer)) return absl::OkStatus();
  MOEPROBE_RETURN_IF_ERROR(Write(run, trainer, curves));
  CrashPoint("checkpoint-kept-not-probed");
  return observer.OnKept(trainer.step(), curves);
}

// Takes up a run where an earlier one stopped, or begins it.
absl::Status Begin(const TrainingRun& run, Trainer& trainer,
                   TrainingObserver& observer, TrainingCurves& curves) {
  const std::optional<int64_t> last = StepToGoOnFrom(run);
  if (!last) return KeepIfDue(run, trainer, observer, curves);
  MOEPROBE_RETURN_IF_ERROR(
      RestoreCheckpoint(run.directory, *last, run.training, trainer, curves));
  for (const int64_t step : run.kept_steps) {
    if (step > *last) break;
    MOEPROBE_RETURN_IF_ERROR(observer.OnKept(step, curves));
  }
  return absl::OkStatus();
}

// Keeps what was reached where no step follows.
void KeepLast(const TrainingRun& run, Trainer& trainer,
              TrainingCurves& curves) {
  if (LastCheckpoint(run.directory) == trainer.step()) return;
  Write(run, trainer, curves).IgnoreError();  // why no step follows says more
}

}  // namespace

absl::Status RunTraining(const TrainingRun& run, const TokenSplit& text,
                         TrainingObserver& observer, TrainingCurves& curves) {
  MOEPROBE_RETURN_IF_ERROR(CheckRun(run));
  MOEPROBE_RETURN_IF_ERROR(CheckFamily(run.training));
  MOEPROBE_ASSIGN_OR_RETURN(const std::unique_ptr<Trainer> trainer,
                            Trainer::Create(run.training, text));
  MOEPROBE_ASSIGN_OR_RETURN(const FileLock lock,
                            LockDirectory(run.directory, observer));
  MOEPROBE_RETURN_IF_ERROR(Begin(run, *trainer, observer, curves));
  while (trainer->step() < run.training.steps) {
    const absl::StatusOr<TrainingStep> report = trainer->Step();
    if (!report.ok()) {
      KeepLast(run, *trainer, curves);
      return report.status();
    }
    CrashPoint("training-step-made");
    curves.AddStep(*report);
    absl::Status told = observer.OnStep(report->step, report->loss);
    if (!told.ok()) {
      KeepLast(run, *trainer, curves);
      return told;
    }
    MOEPROBE_RETURN_IF_ERROR(KeepIfDue(run, *trainer, observer, curves));
  }
  return absl::OkStatus();
}

}  // namespace moeprobe
