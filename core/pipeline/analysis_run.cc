#include "core/pipeline/analysis_run.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "core/base/crash_point.h"
#include "core/base/npy.h"
#include "core/base/status_macros.h"
#include "core/checkpoint/checkpoint.h"
#include "core/checkpoint/tensor_view.h"
#include "core/model/hidden_state_store.h"
#include "core/model/layer_reader.h"
#include "core/model/token_loss.h"
#include "core/model/weight_fingerprint.h"
#include "core/pipeline/analyze.h"
#include "core/pipeline/layer_analysis.h"
#include "core/plan/itinerary.h"
#include "core/probe/probe_result.h"

namespace moeprobe {
namespace {

constexpr int64_t kWholeModel = -1;

std::set<int64_t> LayersOf(const std::map<int64_t, std::string>& stored) {
  std::set<int64_t> layers;
  for (const auto& [layer, fingerprint] : stored) layers.insert(layer);
  return layers;
}

NamedArray LossArray(double loss) {
  Array array;
  array.bytes.assign(reinterpret_cast<const char*>(&loss), sizeof(loss));
  return {.name = "nll", .probe = "nll", .array = array};
}

}  // namespace

AnalysisRun::AnalysisRun(const AnalysisRequest& request,
                         const Checkpoint& checkpoint,
                         FingerprintMemory& memory, AnalysisObserver& observer)
    : request_(request),
      checkpoint_(checkpoint),
      memory_(memory),
      observer_(observer),
      analysis_(request, checkpoint),
      layer_count_(static_cast<int64_t>(checkpoint.config().layers.size())),
      states_(request, checkpoint),
      interventions_(request, checkpoint),
      untrained_(request, checkpoint),
      targets_(request.layers.begin(), request.layers.end()) {
  if (request.nll || request.probes.interventions) {
    targets_.insert(layer_count_);
  }
}

// In front of which layers hidden states can be fetched. Variants of edited
// layers are stored nowhere: behind the first one no layer is left out.
AnalysisRun::Fingerprints AnalysisRun::Reachable() const {
  Fingerprints stored = states_.Stored();
  stored[0] = "";  // in front of the first layer there is none
  if (request_.probes.interventions && !request_.layers.empty()) {
    stored.erase(stored.upper_bound(request_.layers.front()), stored.end());
  }
  return stored;
}

// Each draw takes as long as the analysis itself, roughly.
absl::Status AnalysisRun::DrawNulls() {
  const auto draws = static_cast<double>(request_.probes.nulls.random_weights);
  const double share_of_draws = draws / (draws + 1);
  MOEPROBE_RETURN_IF_ERROR(
      untrained_.Draw([&](const std::string& step, double share) {
        return observer_.OnProgress(step, share * share_of_draws);
      }));
  fraction_ = begin_ = share_of_draws;
  return absl::OkStatus();
}

absl::StatusOr<AnalysisReport> AnalysisRun::Run() {
  MOEPROBE_RETURN_IF_ERROR(DrawNulls());
  // More than once only where stored hidden states are lost on the way.
  while (!targets_.empty()) {
    const Fingerprints stored = Reachable();
    MOEPROBE_RETURN_IF_ERROR(Follow(
        PlanItinerary({targets_.begin(), targets_.end()}, LayersOf(stored)),
        stored));
  }
  MOEPROBE_RETURN_IF_ERROR(checkpoint_.CheckUnchanged());
  report_.model_fingerprint = state_.fingerprint;
  report_.layer_count = layer_count_;
  return report_;
}

absl::Status AnalysisRun::Follow(const std::vector<LayerVisit>& visits,
                                 const Fingerprints& stored) {
  const std::vector<LayerToRead> layers = WhatToRead(visits, stored);
  layers_to_run_ = report_.layers_run + static_cast<int64_t>(layers.size());
  last_layer_ = layers.empty() ? 0 : layers.back().layer;
  LayerReader reader(checkpoint_, memory_, layers);
  for (const LayerVisit& visit : visits) {
    if (visit.fetch) {
      state_.residual.reset();  // not both at a time
      std::optional<HiddenState> state =
          states_.Fetch(visit.layer, stored.at(visit.layer));
      if (!state) return absl::OkStatus();
      state_ = *std::move(state);
    }
    MOEPROBE_RETURN_IF_ERROR(visit.layer < layer_count_
                                 ? RunLayer(visit, reader)
                                 : PublishWholeModel());
    targets_.erase(visit.layer);
  }
  return absl::OkStatus();
}

std::vector<LayerToRead> AnalysisRun::WhatToRead(
    const std::vector<LayerVisit>& visits, const Fingerprints& stored) const {
  std::vector<LayerToRead> layers;
  for (const LayerVisit& visit : visits) {
    if (visit.layer == layer_count_) continue;
    LayerToRead layer{.layer = visit.layer};
    if (visit.fetch) layer.previous = stored.at(visit.layer);
    if (!visit.output && !ReadsExperts(request_.probes)) {
      layer.last = LastBeforeExperts(checkpoint_.layer(visit.layer));
    }
    layers.push_back(std::move(layer));
  }
  return layers;
}

absl::Status AnalysisRun::RunLayer(const LayerVisit& visit,
                                   LayerReader& reader) {
  const StepReport report = [&](const std::string& step, double share) {
    return Report(visit.layer, step, share);
  };
  reader.Begin(visit.layer);
  interventions_.BeforeLayer(visit.layer, state_.residual);
  MOEPROBE_ASSIGN_OR_RETURN(ProbeResult probes,
                            analysis_.Run(visit, state_.residual, report,
                                          [&](const TensorView& weight) {
                                            return reader.WaitFor(weight);
                                          }));
  if (visit.is_target) untrained_.AddTo(visit.layer, probes);
  MOEPROBE_RETURN_IF_ERROR(
      interventions_.AfterLayer(visit.layer, probes, report));
  MOEPROBE_ASSIGN_OR_RETURN(state_.fingerprint, reader.Finish());
  ++report_.layers_run;
  state_.next_layer = visit.layer + 1;
  if (visit.output) {
    report_.keeping_hidden_states.Update(
        states_.Keep(state_, targets_.contains(state_.next_layer)));
  }
  CrashPoint("hidden-state-kept-layer-not-published");
  if (!visit.is_target) return absl::OkStatus();
  return observer_.OnLayer({.layer = visit.layer,
                            .weights_fingerprint = state_.fingerprint,
                            .arrays = std::move(probes.arrays),
                            .warnings = std::move(probes.warnings)});
}

absl::StatusOr<std::string> AnalysisRun::WholeModelFingerprint() {
  std::optional<std::string> fingerprint =
      memory_.Find(checkpoint_.stamp(), kWholeModel);
  if (!fingerprint) {
    MOEPROBE_ASSIGN_OR_RETURN(
        fingerprint, ModelFingerprint(checkpoint_, state_.fingerprint));
    memory_.Remember(checkpoint_.stamp(), kWholeModel, *fingerprint);
  }
  return *std::move(fingerprint);
}

absl::Status AnalysisRun::PublishWholeModel() {
  MOEPROBE_RETURN_IF_ERROR(observer_.OnProgress("next-token loss", 1));
  fraction_ = 1;
  LayerResult result{.layer = kWholeModel,
                     .weights_fingerprint = {},
                     .arrays = interventions_.Finish().arrays};
  MOEPROBE_ASSIGN_OR_RETURN(result.weights_fingerprint,
                            WholeModelFingerprint());
  if (request_.nll) {
    report_.nll = NextTokenLoss(checkpoint_, state_.residual,
                                TokenIds(request_), request_.sequence_length,
                                ComputeType(request_.precision));
    result.arrays.push_back(LossArray(*report_.nll));
  }
  return observer_.OnLayer(result);
}

absl::Status AnalysisRun::Report(int64_t layer, const std::string& step,
                                 double share) {
  const double of_layers = (static_cast<double>(report_.layers_run) + share) /
                           static_cast<double>(layers_to_run_);
  fraction_ = std::max(fraction_, begin_ + (1 - begin_) * of_layers);
  return observer_.OnProgress(
      absl::StrCat("layer ", layer, " (last: ", last_layer_, "), ", step),
      fraction_);
}

}  // namespace moeprobe
