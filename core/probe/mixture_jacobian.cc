#include "core/probe/mixture_jacobian.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/zeros.h>
#include <c10/core/ScalarType.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/checkpoint/checkpoint.h"
#include "core/model/mlp.h"
#include "core/model/router.h"
#include "core/probe/token_jacobians.h"

namespace moeprobe {
namespace {

// Bounds what an expert makes of the common vectors at several tokens.
constexpr int64_t kMaxProductBytes = int64_t{1} << 28;

// Tokens that chose an expert, and as which of their choices.
struct Choices {
  at::Tensor tokens;  // [s] int64
  at::Tensor ranks;   // [s] int64
};

// Adds what one expert contributes for some tokens that chose it.
void AddExpert(const MlpWeights& weights, const at::Tensor& x,
               const Routing& routing, const Choices& choices,
               const MixtureVectors& vectors, MixtureProducts& products) {
  const at::Tensor tokens = x.index_select(0, choices.tokens);
  const TokenJacobians jacobians = JacobiansAt(weights, tokens);
  products.outputs.index_put_({choices.tokens, choices.ranks},
                              OutputsAt(weights, tokens));
  const at::Tensor gates = routing.gates.index({choices.tokens, choices.ranks})
                               .to(jacobians.slope.scalar_type())
                               .view({-1, 1, 1});
  products.own.index_add_(
      0, choices.tokens,
      Apply(jacobians, vectors.own.index_select(0, choices.tokens))
          .mul_(gates));
  products.common.index_add_(
      0, choices.tokens, ApplyToCommon(jacobians, vectors.common).mul_(gates));
}

}  // namespace

MixtureProducts ApplyMixture(const std::vector<MlpTensors>& experts,
                             const at::Tensor& x, const Routing& routing,
                             const MixtureVectors& vectors,
                             at::ScalarType type) {
  const auto options = x.options().dtype(type);
  const int64_t m = vectors.common.size(0);
  MixtureProducts products{
      .outputs = at::zeros(vectors.own.sizes(), options),
      .own = at::zeros(vectors.own.sizes(), options),
      .common = at::zeros({x.size(0), m, x.size(1)}, options)};
  for (size_t e = 0; e < experts.size(); ++e) {
    const at::Tensor places =
        routing.chosen.eq(static_cast<int64_t>(e)).nonzero();  // [s, 2]
    if (places.size(0) == 0) continue;
    const MlpWeights weights = WeightsAs(experts[e], type);
    const int64_t bytes = m * weights.gate.size(0) * x.element_size();
    for (const at::Tensor& some :
         places.split(std::max<int64_t>(1, kMaxProductBytes / bytes))) {
      AddExpert(weights, x, routing,
                {.tokens = some.select(1, 0).contiguous(),
                 .ranks = some.select(1, 1).contiguous()},
                vectors, products);
    }
  }
  return products;
}

}  // namespace moeprobe
