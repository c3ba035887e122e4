#include "core/model/router.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/sort.h>
#include <ATen/ops/zeros.h>
#include <c10/core/ScalarType.h>

#include <cstdint>
#include <vector>

#include "core/model/routing_rule.h"

namespace moeprobe {
namespace {

// softmax(logits / temperature), [T, E] float32. Differences to the largest
// logit are divided, in float64: the largest stays 0 and none becomes NaN,
// however small the temperature is.
at::Tensor Tempered(const at::Tensor& logits, double temperature) {
  const at::Tensor below =
      logits.to(at::kDouble) - logits.amax(-1, /*keepdim=*/true);
  return below.div_(temperature).softmax(-1).to(at::kFloat);
}

}  // namespace

Routing Route(const at::Tensor& h, const at::Tensor& weight,
              const RoutingRule& rule) {
  return RouteLogits(at::linear(h, weight), rule);
}

Routing RouteLogits(const at::Tensor& logits, const RoutingRule& rule) {
  Routing routing;
  routing.logits = logits;
  routing.probabilities = routing.logits.softmax(-1);
  // A stable sort keeps equal probabilities in the order of their index; topk
  // promises no order.
  const at::Tensor order = std::get<1>(at::sort(
      routing.probabilities, /*stable=*/true, -1, /*descending=*/true));
  routing.chosen = order.slice(-1, 0, rule.per_token).contiguous();
  if (rule.temperature != 1) {
    routing.probabilities = Tempered(routing.logits, rule.temperature);
  }
  routing.gates = routing.probabilities.gather(-1, routing.chosen);
  if (rule.renormalize) {
    routing.gates.div_(routing.gates.sum(-1, /*keepdim=*/true));
  }
  return routing;
}

at::Tensor GateGradients(const Routing& routing, const at::Tensor& weight,
                         const RoutingRule& rule) {
  const at::Tensor rows = weight.to(at::kDouble);          // [E, d]
  const at::Tensor gates = routing.gates.to(at::kDouble);  // [T, k]
  at::Tensor gradients =
      rows.index_select(0, routing.chosen.flatten())
          .view({gates.size(0), gates.size(1), rows.size(1)});  // [T, k, d]
  const at::Tensor mean =
      rule.renormalize
          ? gates.unsqueeze(1).bmm(gradients)  // [T, 1, d]
          : routing.probabilities.to(at::kDouble).mm(rows).unsqueeze(1);
  return gradients.sub_(mean).mul_(gates.unsqueeze(2)).div_(rule.temperature);
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
