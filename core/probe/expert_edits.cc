#include "core/probe/expert_edits.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <c10/core/ScalarType.h>

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "core/checkpoint/checkpoint.h"
#include "core/checkpoint/layer_visitor.h"
#include "core/checkpoint/tensor_view.h"
#include "core/model/router.h"
#include "core/model/weight.h"
#include "core/probe/probe_options.h"
#include "core/probe/redundancy_pairs.h"

namespace moeprobe {
namespace {

int64_t Load(const Routing& routing, int64_t expert) {
  return routing.chosen.eq(expert).sum().item<int64_t>();
}

// Keeps the mean of two weights alive in `averages` and returns a view of it.
TensorView Average(const TensorView& a, const TensorView& b,
                   std::vector<at::Tensor>& averages) {
  averages.push_back(
      (StoredWeight(a).to(at::kFloat) + StoredWeight(b).to(at::kFloat))
          .div_(2));
  return ViewOf(averages.back(), a.name);
}

void AverageExperts(const EditedPair& pair, EditedLayer& layer) {
  MlpTensors& kept = layer.tensors.experts[static_cast<size_t>(pair.kept)];
  MlpTensors& removed =
      layer.tensors.experts[static_cast<size_t>(pair.removed)];
  std::vector<const TensorView*> others;
  VisitMlp(std::as_const(removed),
           [&](const TensorView& other) { others.push_back(&other); });
  size_t next = 0;
  VisitMlp(kept, [&](TensorView& view) {
    view = Average(view, *others[next++], layer.averages);
  });
  removed = kept;
}

}  // namespace

EditedPair OrderByLoad(const ExpertPair& pair, const Routing& routing) {
  if (Load(routing, pair.second) > Load(routing, pair.first)) {
    return {.kept = pair.second, .removed = pair.first};
  }
  return {.kept = pair.first, .removed = pair.second};
}

std::vector<ExpertPair> SelectPairs(const std::vector<ExpertPair>& ranked,
                                    int64_t count) {
  const auto total = static_cast<int64_t>(ranked.size());
  if (count >= total) return ranked;
  const int64_t closest = (count + 1) / 2;
  const int64_t spread = count - closest;
  std::vector<ExpertPair> chosen(ranked.begin(), ranked.begin() + closest);
  for (int64_t i = 1; i <= spread; ++i) {
    // The last of `spread` equal parts of what is left.
    const int64_t index = closest - 1 + i * (total - closest) / spread;
    chosen.push_back(ranked[static_cast<size_t>(index)]);
  }
  return chosen;
}

EditedLayer Edit(const LayerTensors& tensors, const Routing& routing,
                 const EditedPair& pair, Intervention intervention) {
  EditedLayer layer{.tensors = tensors, .routing = routing};
  switch (intervention) {
    case Intervention::kAverage:
      AverageExperts(pair, layer);
      break;
    case Intervention::kReplace:
      layer.tensors.experts[static_cast<size_t>(pair.removed)] =
          tensors.experts[static_cast<size_t>(pair.kept)];
      break;
    case Intervention::kAblate:
      layer.routing.gates =
          routing.gates.masked_fill(routing.chosen.eq(pair.removed), 0);
      break;
  }
  return layer;
}

}  // namespace moeprobe
