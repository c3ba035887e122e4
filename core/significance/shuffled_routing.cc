#include "core/significance/shuffled_routing.h"

#include <ATen/core/Tensor.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/empty.h>
#include <c10/core/ScalarType.h>

#include <cstdint>
#include <utility>

#include "core/base/random_stream.h"
#include "core/model/router.h"
#include "core/significance/draw_stream.h"
#include "core/significance/routing_draws.h"

namespace moeprobe {
namespace {

// The numbers 0 to count - 1 in random order (Fisher & Yates), [count] int64.
at::Tensor Permutation(int64_t count, RandomStream random) {
  at::Tensor order = at::arange(count, at::kLong);
  auto* data = order.mutable_data_ptr<int64_t>();
  for (int64_t left = count; left > 1; --left) {
    std::swap(data[left - 1], data[random.Below(static_cast<uint64_t>(left))]);
  }
  return order;
}

}  // namespace

RoutingDraws ShuffledRouting(const Routing& routing, const at::Tensor& counted,
                             int64_t draws, int64_t seed) {
  const at::Tensor tokens = counted.nonzero().flatten();  // [n]
  const int64_t token_count = routing.chosen.size(0);
  const int64_t per_token = routing.chosen.size(1);
  RoutingDraws result{
      .chosen = at::empty({draws, token_count, per_token}, at::kLong),
      .gates = at::empty({draws, token_count, per_token}, at::kFloat)};
  for (int64_t draw = 0; draw < draws; ++draw) {
    const at::Tensor order = Permutation(
        tokens.size(0), DrawStream(seed, DrawKind::kShuffledRouting, draw));
    at::Tensor source = at::arange(token_count, at::kLong);
    source.index_copy_(0, tokens, tokens.index_select(0, order));
    result.chosen[draw].copy_(routing.chosen.index_select(0, source));
    result.gates[draw].copy_(routing.gates.index_select(0, source));
  }
  return result;
}

}  // namespace moeprobe
