#include "server/worker/task_runner.h"

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "core/base/crash_point.h"
#include "core/base/printable.h"
#include "core/base/status_context.h"
#include "core/base/status_macros.h"
#include "core/base/token_windows.h"
#include "core/pipeline/analyze.h"
#include "moeprobe/v1/result.pb.h"
#include "moeprobe/v1/worker_service.pb.h"
#include "server/worker/part_observer.h"
#include "server/worker/part_provenance.h"
#include "server/worker/server_link.h"
#include "server/worker/task_part.h"
#include "server/worker/tokenizer.h"
#include "server/worker/training_runner.h"

namespace moeprobe {

TaskRunner::TaskRunner(const ServerLink& link,
                       const TokenizerOptions& tokenizer, Analyzer& analyzer,
                       const v1::Task& task)
    : heartbeat_(link, task),
      context_{.link = link,
               .analyzer = analyzer,
               .heartbeat = heartbeat_,
               .task = task},
      tokens_(context_, tokenizer) {}

absl::Status TaskRunner::Run() {
  v1::FinishTaskRequest finish;
  finish.set_job(context_.task.job());
  finish.set_attempt(context_.task.attempt());
  const absl::Status status = RunParts();
  for (const auto& [part, provenance] : provenance_) {
    *finish.add_provenance() = provenance;
  }
  if (!status.ok()) {
    finish.mutable_error()->set_code(status.raw_code());
    finish.mutable_error()->set_message(
        PrintableLine(std::string(status.message())));
  }
  CrashPoint("worker-done-not-told");
  const absl::Status told = context_.link.FinishTask(finish);
  CrashPoint("worker-told-of-end");
  return told;
}

absl::Status TaskRunner::RunParts() {
  MOEPROBE_RETURN_IF_ERROR(TrainModels());
  for (int index = 0; index < context_.task.parts_size(); ++index) {
    const v1::TaskPart& part = context_.task.parts(index);
    if (part.has_trained()) continue;
    absl::StatusOr<v1::Provenance> provenance = RunPart(index);
    // A job may have several models: an error says which one it is about.
    MOEPROBE_RETURN_IF_ERROR(
        WithContext(provenance.status(), absl::StrCat("model ", part.model())));
    provenance_[index] = *std::move(provenance);
  }
  return absl::OkStatus();
}

absl::Status TaskRunner::TrainModels() {
  if (context_.task.runs().empty()) return absl::OkStatus();
  TrainingRunner runner(context_, tokens_);
  const absl::Status status = runner.Run();
  provenance_ = runner.Provenance();
  return status;
}

absl::StatusOr<v1::Provenance> TaskRunner::RunPart(int index) {
  const v1::Task& task = context_.task;
  const v1::TaskPart& part = task.parts(index);
  const WindowOptions windows = WindowsOf(part.data());
  const double before = static_cast<double>(index) / task.parts_size();
  MOEPROBE_ASSIGN_OR_RETURN(std::vector<int32_t> ids,
                            tokens_.OfPart(part, before));
  AnalysisRequest request = RequestOf(part);
  MOEPROBE_ASSIGN_OR_RETURN(request.token_ids,
                            CutWindows(std::move(ids), windows));
  const PartTokens tokens{
      .ids = request.token_ids,
      .fingerprint = DataFingerprint(request.token_ids, windows)};
  request.hidden_states = {.directory = task.hidden_state_directory(),
                           .limit_bytes = task.hidden_state_bytes()};
  PartObserver observer(context_, index, tokens.fingerprint);
  MOEPROBE_ASSIGN_OR_RETURN(const AnalysisReport report,
                            context_.analyzer.Analyze(request, observer));
  return ProvenanceOf(part, tokens, report);
}

}  // namespace moeprobe
