#include "core/pipeline/analyze.h"

#include <ATen/Parallel.h>
#include <ATen/core/Tensor.h>
#include <torch/headeronly/version.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "core/base/npy.h"
#include "core/base/status_macros.h"
#include "core/checkpoint/checkpoint.h"
#include "core/checkpoint/model_config.h"
#include "core/checkpoint/tensor_view.h"
#include "core/model/hidden_state_spill.h"
#include "core/model/layer_reader.h"
#include "core/model/routing_rule.h"
#include "core/model/token_loss.h"
#include "core/model/weight_fingerprint.h"
#include "core/pipeline/layer_analysis.h"
#include "core/pipeline/starting_point.h"
#include "core/probe/probe_result.h"
#include "core/tensor/torch_status.h"

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
  return CheckRouting(request.routing, config.experts);
}

// The last layer that has to run; -1 if none has.
int64_t LastLayer(const AnalysisRequest& request, const ModelConfig& config) {
  if (request.nll) return static_cast<int64_t>(config.layers.size()) - 1;
  return request.layers.empty() ? -1 : request.layers.back();
}

// Tells the observer how far the analysis is, in layers.
class LayerProgress {
 public:
  LayerProgress(AnalysisObserver& observer, int64_t first, int64_t last)
      : observer_(observer), first_(first), last_(last) {}

  absl::Status Report(int64_t layer, const std::string& what, double share) {
    const auto layers = static_cast<double>(last_ - first_ + 1);
    return observer_.OnProgress(
        absl::StrCat("layer ", layer, " (last: ", last_, "), ", what),
        (static_cast<double>(layer - first_) + share) / layers);
  }

 private:
  AnalysisObserver& observer_;
  int64_t first_, last_;
};

// Runs the layers from `state` on, each once, and publishes the probed ones.
absl::Status RunLayers(const AnalysisRequest& request,
                       const Checkpoint& checkpoint, FingerprintMemory& memory,
                       int64_t last, AnalysisObserver& observer,
                       HiddenState& state) {
  LayerReader reader(checkpoint, memory, state.next_layer, last,
                     state.fingerprint);
  LayerProgress progress(observer, state.next_layer, last);
  const LayerAnalysis analysis(request, checkpoint);
  while (state.next_layer <= last) {
    const int64_t layer = state.next_layer;
    const StepReport report = [&](const std::string& step, double share) {
      return progress.Report(layer, step, share);
    };
    reader.Begin(layer);
    MOEPROBE_ASSIGN_OR_RETURN(ProbeResult probes,
                              analysis.Run(layer, state.residual, report,
                                           [&](const TensorView& weight) {
                                             return reader.WaitFor(weight);
                                           }));
    MOEPROBE_ASSIGN_OR_RETURN(state.fingerprint, reader.Finish());
    if (std::ranges::binary_search(request.layers, layer)) {
      MOEPROBE_RETURN_IF_ERROR(
          observer.OnLayer({.layer = layer,
                            .weights_fingerprint = state.fingerprint,
                            .arrays = std::move(probes.arrays),
                            .warnings = std::move(probes.warnings)}));
    }
    ++state.next_layer;
    MOEPROBE_RETURN_IF_ERROR(SpillAfterLayer(request, checkpoint, state));
  }
  return checkpoint.CheckUnchanged();
}

absl::StatusOr<double> PublishLoss(const AnalysisRequest& request,
                                   const Checkpoint& checkpoint,
                                   const HiddenState& state,
                                   AnalysisObserver& observer) {
  MOEPROBE_RETURN_IF_ERROR(observer.OnProgress("next-token loss", 1));
  MOEPROBE_ASSIGN_OR_RETURN(const std::string fingerprint,
                            ModelFingerprint(checkpoint, state.fingerprint));
  const double loss =
      NextTokenLoss(checkpoint, state.residual, TokenIds(request),
                    request.sequence_length, ComputeType(request.precision));
  Array array;
  array.bytes.assign(reinterpret_cast<const char*>(&loss), sizeof(loss));
  MOEPROBE_RETURN_IF_ERROR(observer.OnLayer(
      {.layer = -1,
       .weights_fingerprint = fingerprint,
       .arrays = {{.name = "nll", .probe = "nll", .array = array}}}));
  return loss;
}

absl::StatusOr<AnalysisReport> Run(const AnalysisRequest& request,
                                   FingerprintMemory& memory,
                                   AnalysisObserver& observer) {
  MOEPROBE_ASSIGN_OR_RETURN(
      const auto checkpoint,
      Checkpoint::Open(request.model_directory, request.model_root));
  MOEPROBE_RETURN_IF_ERROR(CheckRequest(request, checkpoint->config()));
  const int64_t last = LastLayer(request, checkpoint->config());
  HiddenState state = StartingPoint(request, *checkpoint, last);
  AnalysisReport report{.device = "cpu",
                        .threads = at::get_num_threads(),
                        .libtorch_version = TORCH_VERSION,
                        .resumed_at_layer = state.next_layer};
  if (state.next_layer <= last) {
    MOEPROBE_RETURN_IF_ERROR(
        RunLayers(request, *checkpoint, memory, last, observer, state));
  }
  report.model_fingerprint = state.fingerprint;
  if (request.nll) {
    MOEPROBE_ASSIGN_OR_RETURN(
        report.nll, PublishLoss(request, *checkpoint, state, observer));
  }
  return report;
}

}  // namespace

struct Analyzer::State {
  FingerprintMemory memory;
};

Analyzer::Analyzer(int threads) : state_(std::make_unique<State>()) {
  at::set_num_threads(threads);
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
