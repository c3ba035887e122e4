#include "core/pipeline/analyze.h"

#include <ATen/Parallel.h>

#include <cmath>
#include <cstdint>
#include <memory>
#include <optional>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/checkpoint/checkpoint.h"
#include "core/checkpoint/model_config.h"
#include "core/model/routing_rule.h"
#include "core/model/weight_fingerprint.h"
#include "core/pipeline/analysis_run.h"
#include "core/pipeline/intervention_runs.h"
#include "core/tensor/libtorch_kernels.h"
#include "core/tensor/torch_status.h"
#include "core/tensor/vector_math.h"

namespace moeprobe {
namespace {

absl::Status CheckRouting(const std::optional<RoutingChange>& change,
                          const ExpertConfig& experts) {
  if (!change) return absl::OkStatus();
  const RoutingRule& rule = change->rule;
  if (experts.count == 0) {
    return absl::InvalidArgumentError(
        "routing: the model is dense, it routes nothing");
  }
  if (rule.per_token < 1 || rule.per_token > experts.count) {
    return absl::InvalidArgumentError(
        absl::StrCat("routing: got ", rule.per_token,
                     " experts a token, expected 1 to ", experts.count));
  }
  if (!(rule.temperature > 0) || !std::isfinite(rule.temperature)) {
    return absl::InvalidArgumentError(
        absl::StrCat("routing: got temperature ", rule.temperature,
                     ", expected a finite number above 0"));
  }
  return absl::OkStatus();
}

// What asks for the loss of the next token.
absl::Status CheckLoss(const AnalysisRequest& request,
                       const ModelConfig& config) {
  if (!config.is_mlp) return absl::OkStatus();
  if (!request.nll && !request.probes.interventions) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(
      request.nll ? "nll" : "interventions",
      ": the model has no next token to predict: family ", config.family));
}

absl::Status CheckRequest(const AnalysisRequest& request,
                          const ModelConfig& config) {
  const auto layer_count = static_cast<int64_t>(config.layers.size());
  const auto token_count = static_cast<int64_t>(request.token_ids.size());
  if (request.device == Device::kCuda) {
    return absl::UnavailableError(
        "device: cuda was asked for, this worker computes on the processor");
  }
  if (request.sequence_length < 2 || token_count == 0 ||
      token_count % request.sequence_length != 0) {
    return absl::InvalidArgumentError(absl::StrCat(
        "data: got ", token_count, " tokens, expected whole windows of ",
        request.sequence_length, " (at least 2)"));
  }
  if (config.position_count > 0 &&
      request.sequence_length > config.position_count) {
    return absl::InvalidArgumentError(
        absl::StrCat("data: got windows of ", request.sequence_length,
                     " tokens, expected at most ", config.position_count,
                     ": the model has learned no more positions"));
  }
  for (const int64_t layer : request.layers) {
    if (layer < 0 || layer >= layer_count) {
      return absl::InvalidArgumentError(
          absl::StrCat("layers: got ", layer, ", expected 0 to ",
                       layer_count - 1, ": the model has ", layer_count));
    }
  }
  for (const int32_t id : request.token_ids) {
    if (id < 0 || id >= config.vocabulary_size) {
      return absl::InvalidArgumentError(absl::StrCat(
          "data: got token id ", id, ", expected less than ",
          config.vocabulary_size, ", the model's vocabulary size"));
    }
  }
  MOEPROBE_RETURN_IF_ERROR(CheckLoss(request, config));
  return CheckRouting(request.routing, config.experts);
}

absl::StatusOr<AnalysisReport> Run(const AnalysisRequest& request,
                                   FingerprintMemory& memory,
                                   AnalysisObserver& observer) {
  MOEPROBE_ASSIGN_OR_RETURN(
      const auto checkpoint,
      Checkpoint::Open(request.model_directory, request.model_root));
  MOEPROBE_RETURN_IF_ERROR(CheckRequest(request, checkpoint->config()));
  MOEPROBE_RETURN_IF_ERROR(CheckInterventions(request, *checkpoint));
  const auto& [stamp, fingerprints] = request.known_weights;
  for (const auto& [layer, fingerprint] : fingerprints) {
    memory.Remember(stamp, layer, fingerprint);
  }
  MOEPROBE_ASSIGN_OR_RETURN(
      AnalysisReport report,
      AnalysisRun(request, *checkpoint, memory, observer).Run());
  report.device = "cpu";
  report.threads = at::get_num_threads();
  report.libtorch_version = LibtorchVersion();
  return report;
}

}  // namespace

struct Analyzer::State {
  FingerprintMemory memory;
};

Analyzer::Analyzer(int threads)
    : threads_(threads), state_(std::make_unique<State>()) {
  at::set_num_threads(threads);
  ChooseVectorMath();
}
Analyzer::~Analyzer() = default;

absl::StatusOr<AnalysisReport> Analyzer::Analyze(const AnalysisRequest& request,
                                                 AnalysisObserver& observer) {
  MOEPROBE_ASSIGN_OR_RETURN(auto report, CatchTorchErrors([&] {
                              return Run(request, state_->memory, observer);
                            }));
  return report;
}

}  // namespace moeprobe
