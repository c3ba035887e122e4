#include "core/model/router.h"

#include <ATen/core/Tensor.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/sort.h>
#include <ATen/ops/zeros.h>
#include <c10/core/ScalarType.h>

#include <cstdint>
#include <tuple>
#include <vector>

#include "core/checkpoint/model_config.h"

namespace moeprobe {

Routing Route(const at::Tensor& h, const at::Tensor& weight,
              const ExpertConfig& config) {
  return RouteLogits(at::linear(h, weight), config);
}

Routing RouteLogits(const at::Tensor& logits, const ExpertConfig& config) {
  Routing routing;
  routing.logits = logits;
  routing.probabilities = routing.logits.softmax(-1);
  // A stable sort keeps equal probabilities in the order of their index; topk
  // promises no order.
  const auto [sorted, order] =
      at::sort(routing.probabilities, /*stable=*/true, -1, /*descending=*/true);
  routing.chosen = order.slice(-1, 0, config.per_token).contiguous();
  routing.gates = sorted.slice(-1, 0, config.per_token).contiguous();
  if (config.renormalize) {
    routing.gates.div_(routing.gates.sum(-1, /*keepdim=*/true));
  }
  return routing;
}

at::Tensor GateGradients(const Routing& routing, const at::Tensor& weight,
                         const ExpertConfig& config) {
  const at::Tensor rows = weight.to(at::kDouble);          // [E, d]
  const at::Tensor gates = routing.gates.to(at::kDouble);  // [T, k]
  at::Tensor gradients =
      rows.index_select(0, routing.chosen.flatten())
          .view({gates.size(0), gates.size(1), rows.size(1)});  // [T, k, d]
  const at::Tensor mean =
      config.renormalize
          ? gates.unsqueeze(1).bmm(gradients)  // [T, 1, d]
          : routing.probabilities.to(at::kDouble).mm(rows).unsqueeze(1);
  return gradients.sub_(mean).mul_(gates.unsqueeze(2));
}

Routing RoutingOfTokens(const Routing& routing, const at::Tensor& tokens) {
  return {.logits = routing.logits.index_select(0, tokens),
          .probabilities = routing.probabilities.index_select(0, tokens),
          .chosen = routing.chosen.index_select(0, tokens),
          .gates = routing.gates.index_select(0, tokens)};
}

Routing DenseRouting(int64_t token_count) {
  return {.logits = at::zeros({token_count, 1}),
          .probabilities = at::ones({token_count, 1}),
          .chosen = at::zeros({token_count, 1}, at::kLong),
          .gates = at::ones({token_count, 1})};
}

std::vector<ExpertTokens> GroupByExpert(const Routing& routing) {
  const int64_t expert_count = routing.logits.size(1);
  const int64_t per_token = routing.chosen.size(1);
  const at::Tensor choice = routing.chosen.flatten();  // [T k]
  const at::Tensor order =
      std::get<1>(at::sort(choice, /*stable=*/true, 0, /*descending=*/false));
  const at::Tensor tokens = order.div(per_token, "floor");
  const at::Tensor gates = routing.gates.flatten().index_select(0, order);
  const at::Tensor counts = choice.bincount({}, expert_count);

  std::vector<ExpertTokens> groups;
  int64_t begin = 0;
  for (int64_t e = 0; e < expert_count; ++e) {
    const int64_t end = begin + counts[e].item<int64_t>();
    groups.push_back({.tokens = tokens.slice(0, begin, end),
                      .gates = gates.slice(0, begin, end)});
    begin = end;
  }
  return groups;
}

ExpertTokens Counted(const ExpertTokens& routed, const at::Tensor& counted) {
  const at::Tensor keep = counted.index_select(0, routed.tokens);
  return {.tokens = routed.tokens.masked_select(keep),
          .gates = routed.gates.masked_select(keep)};
}

}  // namespace moeprobe
