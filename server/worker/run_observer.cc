#include "server/worker/run_observer.h"

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/time.h"
#include "core/base/status_context.h"
#include "core/base/status_macros.h"
#include "core/pipeline/train.h"
#include "core/train/token_split.h"
#include "moeprobe/v1/result.pb.h"
#include "moeprobe/v1/worker_service.pb.h"
#include "server/worker/run_progress.h"
#include "server/worker/run_stop.h"
#include "server/worker/task_context.h"
#include "server/worker/trained_part.h"

namespace moeprobe {
namespace {

using Clock = std::chrono::steady_clock;

}  // namespace

RunObserver::RunObserver(const TaskContext& context, int run,
                         const TokenSplit& text, RunProgress& progress,
                         const RunStop& stop)
    : context_(context),
      run_(run),
      text_(text),
      progress_(progress),
      stop_(stop),
      last_(Clock::now()) {}

absl::Status RunObserver::OnWait() {
  progress_.OnWait(run_);
  return stop_.status();
}

absl::Status RunObserver::OnStep(int64_t step, double loss) {
  const Clock::time_point now = Clock::now();
  stepping_ += absl::FromChrono(now - last_);
  last_ = now;
  ++steps_;
  progress_.OnStep(run_, step, loss, StepsPerSecond());
  return stop_.status();
}

absl::Status RunObserver::OnKept(const KeptModel& model) {
  progress_.OnReached(run_, model.step);
  for (int part = 0; part < context_.task.parts_size(); ++part) {
    const v1::TaskPart& wanted = context_.task.parts(part);
    if (!wanted.has_trained() || wanted.trained().run() != run_ ||
        wanted.trained().step() != model.step) {
      continue;
    }
    MOEPROBE_RETURN_IF_ERROR(
        WithContext(RunPart(part, model), absl::StrCat("step ", model.step)));
  }
  last_ = Clock::now();
  return stop_.status();
}

absl::Status RunObserver::RunPart(int part, const KeptModel& model) {
  const TrainedSource source{
      .model = model, .text = text_, .progress = progress_, .stop = stop_};
  MOEPROBE_ASSIGN_OR_RETURN(provenance_[part],
                            RunTrainedPart(context_, part, source));
  return absl::OkStatus();
}

std::map<int, v1::Provenance> RunObserver::Provenance() const {
  std::map<int, v1::Provenance> result = provenance_;
  if (steps_ == 0) return result;
  const std::string rate = absl::StrFormat("%.1f", StepsPerSecond());
  for (auto& [part, provenance] : result) {
    (*provenance.mutable_environment())["steps_per_second"] = rate;
  }
  return result;
}

double RunObserver::StepsPerSecond() const {
  const double seconds = absl::ToDoubleSeconds(stepping_);
  return seconds > 0 ? static_cast<double>(steps_) / seconds : 0;
}

}  // namespace moeprobe
