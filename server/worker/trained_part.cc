#include "server/worker/trained_part.h"

#include <filesystem>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "core/base/sha256.h"
#include "core/base/status_macros.h"
#include "core/base/token_windows.h"
#include "core/pipeline/analyze.h"
#include "core/pipeline/train.h"
#include "core/tensor/libtorch_kernels.h"
#include "core/train/token_split.h"
#include "moeprobe/v1/result.pb.h"
#include "moeprobe/v1/training.pb.h"
#include "moeprobe/v1/worker_service.pb.h"
#include "server/worker/layer_publisher.h"
#include "server/worker/part_provenance.h"
#include "server/worker/run_progress.h"
#include "server/worker/run_stop.h"
#include "server/worker/task_context.h"
#include "server/worker/task_part.h"

namespace moeprobe {
namespace {

// Passes on what the analysis of a trained model says.
class TrainedPartObserver final : public AnalysisObserver {
 public:
  TrainedPartObserver(int part, const LayerPublisher& publisher,
                      const TrainedSource& source)
      : part_(part), publisher_(publisher), source_(source) {}

  absl::Status OnProgress(const std::string& phase, double fraction) override {
    source_.progress.OnAnalysis(part_, phase, fraction);
    return source_.stop.status();
  }

  absl::Status OnLayer(const LayerResult& result) override {
    if (result.layer >= 0) source_.progress.OnLayer();
    return publisher_.Publish(result);
  }

 private:
  int part_;
  const LayerPublisher& publisher_;
  const TrainedSource& source_;
};

// Such as "trained/1f0c.../step-500".
std::string NameOf(const KeptModel& model) {
  const std::filesystem::path& directory = model.directory;
  return absl::StrCat("trained/", directory.parent_path().filename().string(),
                      "/", directory.filename().string());
}

absl::StatusOr<PartTokens> TokensOf(const v1::TaskPart& part,
                                    const TokenSplit& text) {
  const bool train = part.trained().evaluate_on() == v1::EVALUATION_TEXT_TRAIN;
  const WindowOptions windows = WindowsOf(part.data());
  PartTokens tokens;
  MOEPROBE_ASSIGN_OR_RETURN(
      tokens.ids, WholeWindows(train ? text.train : text.held_out, windows));
  tokens.fingerprint = DataFingerprint(tokens.ids, windows);
  return tokens;
}

// Where only curves are asked for, of all that is learned from.
PartTokens AllTokens(const TokenSplit& text) {
  return {.ids = text.train, .fingerprint = DataFingerprint(text.train, {})};
}

bool WantsAnalysis(const v1::TaskPart& part) {
  return !part.layers().empty() || part.nll();
}

AnalysisRequest RequestFor(const v1::TaskPart& part, const KeptModel& model,
                           const PartTokens& tokens) {
  AnalysisRequest request = RequestOf(part);
  request.model_directory = model.directory;
  request.model_root = model.directory.parent_path();
  request.token_ids.assign(tokens.ids.begin(), tokens.ids.end());
  return request;
}

// What is said of curves.
AnalysisReport ReportOfCurves(const KeptModel& model) {
  AnalysisReport report;
  report.model_fingerprint = Sha256Hex(NameOf(model));
  report.device = "cpu";
  report.threads = 1;
  report.libtorch_version = LibtorchVersion();
  return report;
}

}  // namespace

absl::StatusOr<v1::Provenance> RunTrainedPart(const TaskContext& context,
                                              int part,
                                              const TrainedSource& source) {
  v1::TaskPart wanted = context.task.parts(part);
  wanted.set_model(NameOf(source.model));
  PartTokens tokens;
  if (WantsAnalysis(wanted)) {
    MOEPROBE_ASSIGN_OR_RETURN(tokens, TokensOf(wanted, source.text));
  } else {
    tokens = AllTokens(source.text);
  }
  const LayerPublisher publisher(context, part, tokens.fingerprint);
  AnalysisReport report = ReportOfCurves(source.model);
  if (wanted.trained().curves()) {
    MOEPROBE_RETURN_IF_ERROR(
        publisher.Publish({.layer = -1,
                           .weights_fingerprint = report.model_fingerprint,
                           .arrays = source.model.curves}));
  }
  if (WantsAnalysis(wanted)) {
    TrainedPartObserver observer(part, publisher, source);
    MOEPROBE_ASSIGN_OR_RETURN(
        report, context.analyzer.Analyze(
                    RequestFor(wanted, source.model, tokens), observer));
  }
  source.progress.OnAnalysis(part, "done", 1);
  return ProvenanceOf(wanted, tokens, report);
}

}  // namespace moeprobe
