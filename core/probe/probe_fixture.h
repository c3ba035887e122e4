#ifndef MOEPROBE_CORE_PROBE_PROBE_FIXTURE_H_
#define MOEPROBE_CORE_PROBE_PROBE_FIXTURE_H_

// For tests: a MoE layer of random experts, run as the forward pass runs it,
// and its Jacobians by autograd.

#include <ATen/core/Tensor.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/checkpoint/checkpoint.h"
#include "core/checkpoint/model_config.h"
#include "core/model/mlp.h"
#include "core/model/router.h"
#include "core/model/routing_rule.h"
#include "core/probe/expert_fixture.h"
#include "core/probe/jacobian_probe.h"
#include "core/probe/probe_options.h"
#include "core/probe/probe_result.h"
#include "core/probe/probed_layer.h"
#include "core/significance/routing_draws.h"
#include "core/significance/window_groups.h"

namespace moeprobe {

// The shape of a ProbeFixture.
struct FixtureShape {
  int64_t width = 6;
  int64_t hidden = 9;
  int64_t experts = 3;
  int64_t windows = 6;
  int64_t sequence_length = 5;
  ExpertKind kind = ExpertKind::kGatedMlp;
};

struct ProbeFixture {
  explicit ProbeFixture(const FixtureShape& shape = {})
      : groups(GroupWindows(shape.windows * shape.sequence_length,
                            shape.sequence_length)),
        h(at::randn({shape.windows * shape.sequence_length, shape.width})),
        counted(at::ones({h.size(0)}, at::kBool)),
        rule{.per_token = std::min<int64_t>(2, shape.experts),
             .renormalize = true} {
    for (int64_t e = 0; e < shape.experts; ++e) {
      experts.emplace_back(shape.width, shape.hidden, shape.kind);
    }
    router = at::randn({shape.experts, shape.width});
    routing = Route(h, router, rule);
  }

  ProbedLayer Layer() {
    tensors.experts.clear();
    for (const ExpertFixture& expert : experts) {
      tensors.experts.push_back(expert.Tensors());
    }
    return {.tensors = tensors, .h = h, .routing = routing, .counted = counted};
  }

  // Hands the layer's tokens to `probe` as the forward pass does.
  void Run(JacobianProbe& probe) const {
    const std::vector<ExpertTokens> routed = GroupByExpert(routing);
    for (size_t e = 0; e < experts.size(); ++e) {
      const auto expert = static_cast<int64_t>(e);
      const MlpTensors weights = experts[e].Tensors();
      const Mlp mlp(weights, at::kFloat);
      if (routed[e].tokens.size(0) > 0)
        mlp.Run(h, probe.Plan(expert, routed[e]));
      const std::optional<ExpertRun> others =
          probe.PlanOthers(expert, routed[e]);
      if (others) mlp.Run(h, *others);
    }
  }

  // What the probe says with the default weightings.
  ProbeResult Probe(const JacobianOptions& options = {},
                    const NullOptions& nulls = {},
                    const NullRoutings& routings = {}) {
    JacobianProbe probe(Layer(), options, groups, routings);
    Run(probe);
    return probe.Finish(std::nullopt, nulls, 0);
  }

  // The mean of an expert's Jacobians with `weights` [T], by autograd.
  at::Tensor Average(size_t expert, const at::Tensor& weights) const {
    at::Tensor sum = at::zeros({h.size(1), h.size(1)}, at::kDouble);
    for (int64_t t = 0; t < h.size(0); ++t) {
      const auto weight = weights[t].item<double>();
      if (weight == 0) continue;
      sum += experts[expert].JacobianByAutograd(h[t]) * weight;
    }
    return sum / weights.sum(at::kDouble).item<double>();
  }

  // 1 where a token is routed to an expert, [T] float64.
  at::Tensor RoutedTo(int64_t expert) const {
    return routing.chosen.eq(expert).any(1).to(at::kDouble);
  }

  std::vector<ExpertFixture> experts;
  WindowGroups groups;
  at::Tensor h;
  at::Tensor counted;
  at::Tensor router;
  RoutingRule rule;
  Routing routing;
  LayerTensors tensors;
};

// The float64 array of a result, [...].
inline at::Tensor ArrayOf(const ProbeResult& result, const std::string& name) {
  for (const NamedArray& array : result.arrays) {
    if (array.name != name) continue;
    at::Tensor values = at::zeros(array.array.shape, at::kDouble);
    std::memcpy(values.mutable_data_ptr<double>(), array.array.bytes.data(),
                array.array.bytes.size());
    return values;
  }
  return {};
}

// <a, b> / (|a| |b|).
inline double CosineOf(const at::Tensor& a, const at::Tensor& b) {
  return ((a * b).sum() / (a.norm() * b.norm())).item<double>();
}

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_PROBE_PROBE_FIXTURE_H_
