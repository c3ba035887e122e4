#include "core/probe/draw_weights.h"

#include <ATen/Parallel.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/zeros.h>
#include <c10/core/ScalarType.h>

#include <cstdint>

#include "core/probe/probe_options.h"
#include "core/significance/routing_draws.h"

namespace moeprobe {

at::Tensor DrawWeights(const RoutingDraws& draws, int64_t expert,
                       Weighting weighting, const at::Tensor& tokens) {
  const int64_t count = tokens.size(0);
  at::Tensor weights = at::zeros({draws.count(), count}, at::kFloat);
  if (weights.numel() == 0) return weights;
  const int64_t token_count = draws.chosen.size(1);
  const int64_t per_token = draws.chosen.size(2);
  const at::Tensor dense = tokens.contiguous();
  const auto* token = dense.const_data_ptr<int64_t>();
  const auto* chosen = draws.chosen.const_data_ptr<int64_t>();
  const auto* gates = draws.gates.const_data_ptr<float>();
  auto* weight = weights.mutable_data_ptr<float>();
  at::parallel_for(0, draws.count(), 1, [&](int64_t first, int64_t last) {
    for (int64_t draw = first; draw < last; ++draw) {
      for (int64_t i = 0; i < count; ++i) {
        const int64_t begin = (draw * token_count + token[i]) * per_token;
        for (int64_t k = begin; k < begin + per_token; ++k) {
          if (chosen[k] != expert) continue;
          weight[draw * count + i] =
              weighting == Weighting::kGate ? gates[k] : 1.0F;
        }
      }
    }
  });
  return weights;
}

}  // namespace moeprobe
