#include "server/worker/run_progress.h"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/time.h"
#include "core/base/mutex.h"
#include "core/plan/training_cost.h"
#include "core/train/training_options.h"
#include "moeprobe/v1/job.pb.h"
#include "moeprobe/v1/worker_service.pb.h"
#include "server/worker/task_context.h"
#include "server/worker/training_request.h"

namespace moeprobe {
namespace {

constexpr std::chrono::seconds kBetweenReports{1};
// Forwards once, and backwards as dear as twice.
constexpr double kPassesOfAStep = 3;
// What probes of a layer take, all experts on all tokens among it, measured
// against passing through a layer by its own experts. A draw of an untrained
// model takes as much.
constexpr double kPassesOfAProbe = 8;
constexpr double kTokensOfAProbe = 16384;  // where all are asked for

double SizeOf(const v1::TrainingRun& run) {
  const TrainingOptions options = RequestOf(run).training;
  return kPassesOfAStep *
         static_cast<double>(options.steps *
                             TokensOfStep(options.shape, options.batch));
}

double SizeOf(const v1::TaskPart& part) {
  if (!part.has_trained() || part.layers().empty()) return 0;
  const double tokens = part.data().tokens() < 0
                            ? kTokensOfAProbe
                            : static_cast<double>(part.data().tokens());
  const auto models = static_cast<double>(1 + part.nulls().random_weights());
  return kPassesOfAProbe * tokens * models;
}

}  // namespace

void RunProgress::Work::Advance(double to) {
  done = std::max(done, std::min(to, 1.0));
}

RunProgress::RunProgress(const TaskContext& context) : context_(context) {
  for (const v1::TrainingRun& run : context.task.runs()) {
    runs_.push_back({.size = SizeOf(run)});
  }
  for (const v1::TaskPart& part : context.task.parts()) {
    parts_.push_back({.size = SizeOf(part)});
    layer_count_ += part.layers_size();
  }
}

void RunProgress::OnWait(int run) {
  const int64_t minutes =
      absl::ToInt64Minutes(absl::FromChrono(Clock::now() - begin_));
  const MutexLock lock(mutex_);
  // What is new each minute shows that waiting is no standstill.
  Tell(absl::StrCat(context_.task.runs(run).label(),
                    ": waiting, another job trains it; ", minutes, " min"));
}

void RunProgress::OnStep(int run, int64_t step, double loss,
                         double steps_per_second) {
  const v1::TrainingRun& what = context_.task.runs(run);
  const int64_t steps = what.optimizer().steps();
  const MutexLock lock(mutex_);
  runs_[static_cast<size_t>(run)].Advance(static_cast<double>(step) /
                                          static_cast<double>(steps));
  Tell(absl::StrFormat("%s: step %d of %d, loss %.3g, %.*f steps/s",
                       what.label(), step, steps, loss,
                       steps_per_second < 10 ? 1 : 0, steps_per_second));
}

void RunProgress::OnReached(int run, int64_t step) {
  const auto steps =
      static_cast<double>(context_.task.runs(run).optimizer().steps());
  const MutexLock lock(mutex_);
  runs_[static_cast<size_t>(run)].Advance(static_cast<double>(step) / steps);
}

void RunProgress::OnAnalysis(int part, const std::string& phase,
                             double fraction) {
  const v1::TrainedModel& model = context_.task.parts(part).trained();
  const MutexLock lock(mutex_);
  parts_[static_cast<size_t>(part)].Advance(fraction);
  Tell(absl::StrCat(context_.task.runs(model.run()).label(), ": step ",
                    model.step(), ", ", phase));
}

void RunProgress::OnLayer() {
  const MutexLock lock(mutex_);
  ++layers_done_;
}

void RunProgress::OnEnd(int run) {
  const MutexLock lock(mutex_);
  ++runs_done_;
  Tell(absl::StrCat(context_.task.runs(run).label(), ": ended"));
}

void RunProgress::Tell(const std::string& phase) {
  const Clock::time_point now = Clock::now();
  if (told_ && now - *told_ < kBetweenReports) return;
  told_ = now;
  v1::Progress progress;
  progress.set_phase(absl::StrCat(phase, "; ", runs_done_, " of ", runs_.size(),
                                  " runs done"));
  progress.set_fraction(Fraction());
  progress.set_layers_done_count(layers_done_);
  progress.set_layer_count(layer_count_);
  context_.heartbeat.Set(progress);
}

double RunProgress::Fraction() const {
  double size = 0, done = 0;
  for (const std::vector<Work>* works : {&runs_, &parts_}) {
    for (const Work& work : *works) {
      size += work.size;
      done += work.size * work.done;
    }
  }
  return size > 0 ? std::min(done / size, 1.0) : 0;
}

}  // namespace moeprobe
