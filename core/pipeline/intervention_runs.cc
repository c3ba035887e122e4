#include "core/pipeline/intervention_runs.h"

#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/full.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/tensor.h>
#include <c10/core/ScalarType.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/checkpoint/checkpoint.h"
#include "core/geometry/rank_correlation.h"
#include "core/model/decoder_layer.h"
#include "core/model/router.h"
#include "core/model/routing_rule.h"
#include "core/model/token_loss.h"
#include "core/model/weight_arrival.h"
#include "core/pipeline/analyze.h"
#include "core/pipeline/layer_analysis.h"
#include "core/probe/expert_edits.h"
#include "core/probe/probe_options.h"
#include "core/probe/probe_result.h"
#include "core/probe/redundancy_pairs.h"
#include "core/tensor/tensor_array.h"

namespace moeprobe {
namespace {

// Whole windows of the leading tokens; one at least.
int64_t TokenCount(const AnalysisRequest& request,
                   const InterventionOptions& options) {
  const int64_t windows =
      std::max<int64_t>(1, options.tokens / request.sequence_length);
  return std::min(windows * request.sequence_length,
                  static_cast<int64_t>(request.token_ids.size()));
}

DecoderLayer LayerOf(const AnalysisRequest& request,
                     const Checkpoint& checkpoint, int64_t layer) {
  return {checkpoint, layer, request.sequence_length,
          ComputeType(request.precision)};
}

// The weights are in memory.
absl::Status Pass(const DecoderLayer& layer, const RoutingRule& rule,
                  at::Tensor& residual) {
  layer.Attend(residual);
  const at::Tensor h = layer.MlpInput(residual);
  return layer.RunExperts(h, layer.RouteTokens(h, rule), &residual, nullptr,
                          AlreadyArrived);
}

RoutingRule RuleOf(const AnalysisRequest& request,
                   const Checkpoint& checkpoint) {
  return ForwardRule(checkpoint.config().experts, request.routing);
}

// The scores of `pairs` by column.
std::vector<std::vector<double>> Columns(const std::vector<ExpertPair>& pairs) {
  std::vector<std::vector<double>> columns;
  for (const auto score :
       {&ExpertPair::alignment, &ExpertPair::output_similarity,
        &ExpertPair::distance, &ExpertPair::weight_overlap}) {
    std::vector<double>& column = columns.emplace_back();
    for (const ExpertPair& pair : pairs) column.push_back(pair.*score);
  }
  return columns;
}

at::Tensor ToTensor(const std::vector<double>& numbers) {
  return at::tensor(numbers, at::kDouble);
}

}  // namespace

absl::Status CheckInterventions(const AnalysisRequest& request,
                                const Checkpoint& checkpoint) {
  if (!request.probes.interventions) return absl::OkStatus();
  const InterventionOptions& options = *request.probes.interventions;
  const auto layers = static_cast<int64_t>(request.layers.size());
  const int64_t variants =
      layers * (options.pairs * static_cast<int64_t>(options.kinds.size()) + 1);
  const int64_t tokens = TokenCount(request, options);
  const int64_t bytes =
      variants * tokens * checkpoint.config().width * int64_t{sizeof(float)};
  if (bytes <= kMostVariantBytes) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(
      "interventions: ", variants, " variants of ", tokens, " tokens need ",
      bytes, " bytes, expected at most ", kMostVariantBytes,
      "; ask for fewer layers, pairs or tokens"));
}

InterventionRuns::InterventionRuns(const AnalysisRequest& request,
                                   const Checkpoint& checkpoint)
    : request_(request),
      checkpoint_(checkpoint),
      options_(request.probes.interventions.value_or(
          InterventionOptions{.pairs = 0})) {}

bool InterventionRuns::IsEdited(int64_t layer) const {
  return options_.pairs > 0 &&
         std::ranges::binary_search(request_.layers, layer) &&
         checkpoint_.layer(layer).experts.size() > 1;
}

void InterventionRuns::BeforeLayer(int64_t layer, const at::Tensor& residual) {
  if (IsEdited(layer)) {
    before_ = residual.slice(0, 0, TokenCount(request_, options_)).clone();
  }
}

absl::Status InterventionRuns::AfterLayer(int64_t layer,
                                          const ProbeResult& probes,
                                          const StepReport& report) {
  const DecoderLayer decoder = LayerOf(request_, checkpoint_, layer);
  const RoutingRule rule = RuleOf(request_, checkpoint_);
  for (Run& run : runs_) {
    for (at::Tensor& variant : run.variants) {
      MOEPROBE_RETURN_IF_ERROR(report("interventions", 1));
      MOEPROBE_RETURN_IF_ERROR(Pass(decoder, rule, variant));
    }
  }
  if (!IsEdited(layer)) return absl::OkStatus();
  MOEPROBE_RETURN_IF_ERROR(report("interventions", 1));
  return Begin(layer, probes);
}

absl::Status InterventionRuns::Begin(int64_t layer, const ProbeResult& probes) {
  const LayerTensors& tensors = checkpoint_.layer(layer);
  const DecoderLayer decoder = LayerOf(request_, checkpoint_, layer);
  decoder.Attend(before_);
  const at::Tensor h = decoder.MlpInput(before_);
  const Routing routing = decoder.RouteTokens(h, RuleOf(request_, checkpoint_));

  Run run{.layer = layer};
  run.pairs =
      SelectPairs(RankPairs(probes, absl::StrCat("layer", layer, "/"),
                            static_cast<int64_t>(tensors.experts.size())),
                  options_.pairs);
  for (const ExpertPair& pair : run.pairs) {
    run.edited.push_back(OrderByLoad(pair, routing));
  }
  const auto add = [&](const LayerTensors& weights, const Routing& routed) {
    run.variants.push_back(before_.clone());
    return DecoderLayer(decoder, weights)
        .RunExperts(h, routed, &run.variants.back(), nullptr, AlreadyArrived);
  };
  MOEPROBE_RETURN_IF_ERROR(add(tensors, routing));
  for (const Intervention kind : options_.kinds) {
    for (const EditedPair& pair : run.edited) {
      const EditedLayer edited = Edit(tensors, routing, pair, kind);
      MOEPROBE_RETURN_IF_ERROR(add(edited.tensors, edited.routing));
    }
  }
  before_.reset();
  runs_.push_back(std::move(run));
  return absl::OkStatus();
}

ProbeResult InterventionRuns::Finish() const {
  ProbeResult result;
  for (const Run& run : runs_) AddArrays(run, result);
  return result;
}

std::vector<double> InterventionRuns::Losses(const Run& run) const {
  const at::Tensor ids =
      TokenIds(request_).slice(0, 0, TokenCount(request_, options_));
  std::vector<double> losses;
  losses.reserve(run.variants.size());
  for (const at::Tensor& variant : run.variants) {
    losses.push_back(NextTokenLoss(checkpoint_, variant, ids,
                                   request_.sequence_length,
                                   ComputeType(request_.precision)));
  }
  return losses;
}

void InterventionRuns::AddArrays(const Run& run, ProbeResult& result) const {
  const auto add = [&](const std::string& name, const at::Tensor& value) {
    result.arrays.push_back(
        {.name = absl::StrCat("layer", run.layer, "/intervention_", name),
         .probe = absl::StrCat("interventions/", run.layer),
         .array = ToArray(value)});
  };
  const auto count = static_cast<int64_t>(run.pairs.size());
  const at::Tensor pairs = at::empty({count, 2}, at::kLong);
  for (int64_t i = 0; i < count; ++i) {
    pairs[i][0] = run.edited[static_cast<size_t>(i)].kept;
    pairs[i][1] = run.edited[static_cast<size_t>(i)].removed;
  }
  const std::vector<std::vector<double>> columns = Columns(run.pairs);
  std::vector<at::Tensor> scores;
  scores.reserve(columns.size());
  for (const auto& column : columns) scores.push_back(ToTensor(column));
  add("pairs", pairs);
  add("scores", at::stack(scores, 1));

  const std::vector<double> losses = Losses(run);
  add("nll", at::full({}, losses[0], at::kDouble));
  auto loss = losses.begin() + 1;
  for (const Intervention kind : options_.kinds) {
    std::vector<double> deltas(loss, loss + count);
    loss += count;
    for (double& delta : deltas) delta -= losses[0];
    std::vector<double> correlations;
    correlations.reserve(columns.size());
    for (const auto& column : columns) {
      correlations.push_back(RankCorrelation(column, deltas));
    }
    add(absl::StrCat("delta_nll/", NameOf(kind)), ToTensor(deltas));
    add(absl::StrCat("rank_correlation/", NameOf(kind)),
        ToTensor(correlations));
  }
}

}  // namespace moeprobe
