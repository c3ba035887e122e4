#include "server/worker/training_runner.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "core/base/machine_memory.h"
#include "core/base/status_context.h"
#include "core/base/status_macros.h"
#include "core/pipeline/analyze.h"
#include "core/pipeline/lanes.h"
#include "core/pipeline/train.h"
#include "core/plan/training_cost.h"
#include "core/train/token_split.h"
#include "core/train/training_options.h"
#include "moeprobe/v1/result.pb.h"
#include "moeprobe/v1/worker_service.pb.h"
#include "server/worker/run_observer.h"
#include "server/worker/task_context.h"
#include "server/worker/task_tokens.h"
#include "server/worker/training_request.h"

namespace moeprobe {
namespace {

bool HaveSameText(const v1::TrainingRun& a, const v1::TrainingRun& b) {
  return a.data_path() == b.data_path() &&
         a.vocabulary_case() == b.vocabulary_case() &&
         a.tokenizer_directory() == b.tokenizer_directory() &&
         a.held_out() == b.held_out() &&
         a.shape().context() == b.shape().context() &&
         a.synthetic().examples() == b.synthetic().examples();
}

// Lanes for all threads, as far as what they hold fits into half of the memory.
int LaneCount(const TaskContext& context) {
  int64_t bytes = 1;
  for (const v1::TrainingRun& run : context.task.runs()) {
    const TrainingOptions options = RequestOf(run).training;
    bytes = std::max(
        bytes,
        TrainingBytes(options.shape, options.routing.per_token, options.batch));
  }
  const int64_t fitting = MachineMemoryBytes() / 2 / bytes;
  return static_cast<int>(
      std::clamp<int64_t>(fitting, 1, context.analyzer.threads()));
}

}  // namespace

TrainingRunner::TrainingRunner(const TaskContext& context, TaskTokens& tokens)
    : context_(context),
      tokens_(tokens),
      progress_(context),
      stop_(context.heartbeat),
      outcomes_(static_cast<size_t>(context.task.runs_size())) {}

absl::Status TrainingRunner::Run() {
  MOEPROBE_RETURN_IF_ERROR(ReadTexts());
  RunInLanes(context_.task.runs_size(), LaneCount(context_),
             [this](int64_t run) { RunOne(static_cast<int>(run)); });
  MOEPROBE_RETURN_IF_ERROR(stop_.status());
  return Summary();
}

absl::Status TrainingRunner::ReadTexts() {
  const v1::TrainingRun* before = nullptr;
  for (const v1::TrainingRun& run : context_.task.runs()) {
    if (before == nullptr || !HaveSameText(*before, run)) {
      MOEPROBE_ASSIGN_OR_RETURN(Text text, TextOf(run));
      texts_.push_back(std::move(text));
    } else {
      texts_.push_back(texts_.back());
    }
    before = &run;
  }
  return absl::OkStatus();
}

absl::StatusOr<TrainingRunner::Text> TrainingRunner::TextOf(
    const v1::TrainingRun& run) {
  if (run.has_synthetic()) {
    return std::make_shared<const TokenSplit>(
        SplitExamples(run.synthetic().examples(), run.held_out()));
  }
  MOEPROBE_ASSIGN_OR_RETURN(std::vector<int32_t> ids, tokens_.OfRun(run));
  auto split =
      SplitTokens(std::move(ids), run.held_out(), run.shape().context());
  if (!split.ok()) {
    return WithContext(split.status(),
                       absl::StrCat("data set ", run.data_path()));
  }
  return std::make_shared<const TokenSplit>(*std::move(split));
}

void TrainingRunner::RunOne(int run) {
  const auto index = static_cast<size_t>(run);
  Outcome& outcome = outcomes_[index];
  outcome.status = stop_.status();
  if (!outcome.status.ok()) return;
  RunObserver observer(context_, run, *texts_[index], progress_, stop_);
  outcome.status =
      Train(RequestOf(context_.task.runs(run)), *texts_[index], observer);
  outcome.provenance = observer.Provenance();
  stop_.Note(outcome.status);
  progress_.OnEnd(run);
}

absl::Status TrainingRunner::Summary() const {
  const auto failed = std::ranges::find_if(
      outcomes_, [](const Outcome& outcome) { return !outcome.status.ok(); });
  if (failed == outcomes_.end()) return absl::OkStatus();
  const auto count = std::ranges::count_if(
      outcomes_, [](const Outcome& outcome) { return !outcome.status.ok(); });
  const auto first = static_cast<int>(failed - outcomes_.begin());
  return {failed->status.code(),
          absl::StrCat(context_.task.runs(first).label(), ": ",
                       std::string(failed->status.message()), "; ", count,
                       " of ", outcomes_.size(), " runs failed")};
}

std::map<int, v1::Provenance> TrainingRunner::Provenance() const {
  std::map<int, v1::Provenance> all;
  for (const Outcome& outcome : outcomes_) {
    all.insert(outcome.provenance.begin(), outcome.provenance.end());
  }
  return all;
}

}  // namespace moeprobe
