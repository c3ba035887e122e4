#include "core/pipeline/random_weight_null.h"

#include <ATen/core/Tensor.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/tensor.h>
#include <c10/core/ScalarType.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "core/base/npy.h"
#include "core/base/random_stream.h"
#include "core/base/status_macros.h"
#include "core/checkpoint/checkpoint.h"
#include "core/geometry/pair_means.h"
#include "core/model/embedding.h"
#include "core/model/weight_arrival.h"
#include "core/pipeline/analyze.h"
#include "core/pipeline/layer_analysis.h"
#include "core/pipeline/random_weights.h"
#include "core/pipeline/step_report.h"
#include "core/plan/itinerary.h"
#include "core/probe/probe_options.h"
#include "core/probe/probe_result.h"
#include "core/probe/significance_arrays.h"
#include "core/significance/draw_stream.h"

namespace moeprobe {
namespace {

// A quantity whose printed mean is judged, and the group of its nulls.
struct JudgedMean {
  std::string quantity;
  std::string group;
};

std::vector<JudgedMean> JudgedMeans(const ProbeOptions& probes) {
  std::vector<JudgedMean> means;
  const auto add = [&](const std::string& quantity, const std::string& base) {
    means.push_back(
        {.quantity = quantity, .group = absl::StrCat("nulls/", base)});
  };
  if (probes.jacobian) {
    for (const Weighting weighting : probes.jacobian->average) {
      const std::string name = NameOf(weighting);
      add("jacobian_cosine/" + name, "jacobian/" + name);
      add("jacobian_cosine_corrected/" + name, "jacobian/" + name);
    }
  }
  if (!probes.pca) return means;
  for (const Convention convention : probes.pca->conventions) {
    const std::string name = NameOf(convention);
    add("grassmann/" + name, "pca/" + name);
    add("pca/" + name + "/effective_rank", "pca/" + name);
    add("pca/" + name + "/participation_ratio", "pca/" + name);
  }
  add("pca/all/effective_rank", "pca/reference");
  return means;
}

// The probes whose means are judged, and nothing beside them.
AnalysisRequest DrawnRequest(const AnalysisRequest& request) {
  AnalysisRequest drawn = request;
  drawn.probes = {};
  drawn.probes.routing = false;
  if (request.probes.jacobian) {
    drawn.probes.jacobian = JacobianOptions{
        .average = request.probes.jacobian->average, .tokens = 0};
  }
  if (request.probes.pca) {
    drawn.probes.pca =
        PcaOptions{.conventions = request.probes.pca->conventions,
                   .components = request.probes.pca->components,
                   .matched = false};
  }
  return drawn;
}

// The mean that is printed of float64 numbers by expert or by pair of experts;
// nullopt where there is no pair.
std::optional<double> PrintedMean(const Array& array) {
  const at::Tensor numbers =
      at::from_blob(const_cast<char*>(array.bytes.data()), array.shape,
                    at::dtype(at::kDouble));
  if (numbers.dim() < 2) return numbers.nanmean().item<double>();
  if (numbers.size(0) < 2) return std::nullopt;
  return MeanOverPairs(numbers);
}

const Array* Find(const std::string& name, const ProbeResult& result) {
  for (const NamedArray& named : result.arrays) {
    if (named.name == name) return &named.array;
  }
  return nullptr;
}

}  // namespace

RandomWeightNull::RandomWeightNull(const AnalysisRequest& request,
                                   const Checkpoint& checkpoint)
    : request_(request),
      checkpoint_(checkpoint),
      drawn_(DrawnRequest(request)) {}

absl::Status RandomWeightNull::Draw(const StepReport& report) {
  const int64_t draws = request_.probes.nulls.random_weights;
  for (int64_t draw = 0; draw < draws; ++draw) {
    const auto of_draw = [&](const std::string& step, double share) {
      return report(
          absl::StrCat("random weights, draw ", draw + 1, " of ", draws, step),
          (static_cast<double>(draw) + share) / static_cast<double>(draws));
    };
    MOEPROBE_RETURN_IF_ERROR(DrawOne(draw, of_draw));
  }
  return absl::OkStatus();
}

absl::Status RandomWeightNull::DrawOne(int64_t draw, const StepReport& report) {
  RandomStream random =
      DrawStream(request_.seed, DrawKind::kRandomWeights, draw);
  RandomWeights weights(checkpoint_, static_cast<int64_t>(random.Next()));
  const LayerAnalysis analysis(drawn_, weights);
  at::Tensor residual =
      Embed(weights, TokenIds(drawn_), drawn_.sequence_length);
  const std::vector<LayerVisit> visits =
      PlanItinerary(drawn_.layers, /*stored=*/{});
  for (size_t i = 0; i < visits.size(); ++i) {
    const auto of_layer = [&](const std::string& step, double share) {
      return report(absl::StrCat(", layer ", visits[i].layer, ", ", step),
                    (static_cast<double>(i) + share) /
                        static_cast<double>(visits.size()));
    };
    MOEPROBE_RETURN_IF_ERROR(of_layer("weights", 0));
    weights.DrawLayer(visits[i].layer);
    MOEPROBE_ASSIGN_OR_RETURN(
        const ProbeResult found,
        analysis.Run(visits[i], residual, of_layer, AlreadyArrived));
    Remember(visits[i].layer, found);
  }
  return absl::OkStatus();
}

void RandomWeightNull::Remember(int64_t layer, const ProbeResult& result) {
  for (const JudgedMean& judged : JudgedMeans(drawn_.probes)) {
    const std::string name = absl::StrCat("layer", layer, "/", judged.quantity);
    const Array* array = Find(name, result);
    const auto mean = array != nullptr ? PrintedMean(*array) : std::nullopt;
    if (mean) means_[name].push_back(*mean);
  }
}

void RandomWeightNull::AddTo(int64_t layer, ProbeResult& result) const {
  if (request_.probes.nulls.random_weights == 0) return;
  for (const JudgedMean& judged : JudgedMeans(request_.probes)) {
    const std::string name = absl::StrCat("layer", layer, "/", judged.quantity);
    const Array* array = Find(name, result);
    const auto drawn = means_.find(name);
    if (array == nullptr || drawn == means_.end()) continue;
    const std::optional<double> observed = PrintedMean(*array);
    if (!observed) continue;
    AddSignificance(name, judged.group,
                    {.observed = *observed,
                     .replicate = *observed,
                     .random_weights = at::tensor(drawn->second, at::kDouble)},
                    request_.probes.nulls.keep_draws, result);
  }
}

}  // namespace moeprobe
