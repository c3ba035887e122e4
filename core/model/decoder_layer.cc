#include "core/model/decoder_layer.h"

#include <ATen/core/Tensor.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/full_like.h>
#include <ATen/ops/linear.h>
#include <c10/core/ScalarType.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "core/base/status_macros.h"
#include "core/checkpoint/checkpoint.h"
#include "core/checkpoint/tensor_view.h"
#include "core/model/activation_probe.h"
#include "core/model/attention.h"
#include "core/model/mlp.h"
#include "core/model/norm.h"
#include "core/model/router.h"
#include "core/model/routing_rule.h"
#include "core/model/weight.h"
#include "core/model/weight_arrival.h"

namespace moeprobe {
namespace {

// Windows attend in groups of about so many tokens: a fixed number, so that
// every product always has the same shape and rounds the same way.
constexpr int64_t kTokensPerShard = 2048;

// Every token, each with how far the shared expert is open to it.
ExpertTokens SharedTokens(const at::Tensor& h, const TensorView& gate) {
  return {
      .tokens = at::arange(h.size(0), at::kLong),
      .gates = at::linear(h, Weight(gate, at::kFloat)).sigmoid_().flatten()};
}

// The same run without its output.
ExpertRun SumsOf(ExpertRun run) {
  run.rows = at::full_like(run.rows, -1);
  run.output_count = 0;
  return run;
}

}  // namespace

DecoderLayer::DecoderLayer(const Checkpoint& checkpoint, int64_t layer,
                           int64_t sequence_length, at::ScalarType type)
    : config_(checkpoint.config()),
      layer_config_(config_.layers[static_cast<size_t>(layer)]),
      tensors_(checkpoint.layer(layer)),
      sequence_length_(sequence_length),
      type_(type) {}

DecoderLayer::DecoderLayer(const DecoderLayer& layer,
                           const LayerTensors& tensors)
    : config_(layer.config_),
      layer_config_(layer.layer_config_),
      tensors_(tensors),
      sequence_length_(layer.sequence_length_),
      type_(layer.type_) {}

void DecoderLayer::Attend(at::Tensor& residual) const {
  if (!tensors_.attention) return;
  const Attention attention(config_, layer_config_, *tensors_.attention,
                            sequence_length_, type_);
  const int64_t width = residual.size(1);
  const int64_t windows =
      std::max<int64_t>(1, kTokensPerShard / sequence_length_);
  for (const at::Tensor& shard :
       residual.split(windows * sequence_length_, 0)) {
    at::Tensor x = shard.view({-1, sequence_length_, width});
    const at::Tensor normalised =
        Norm(x, *tensors_.input_norm, config_.norm_epsilon);
    x.add_(attention.Forward(normalised.to(type_)));
  }
}

at::Tensor DecoderLayer::MlpInput(const at::Tensor& residual) const {
  if (!tensors_.mlp_norm) return residual.clone();  // RunExperts adds to it
  return Norm(residual, *tensors_.mlp_norm, config_.norm_epsilon);
}

Routing DecoderLayer::RouteTokens(const at::Tensor& h,
                                  const RoutingRule& rule) const {
  if (!tensors_.router) return DenseRouting(h.size(0));
  return RouteLogits(
      at::linear(h, Weight(*tensors_.router, at::kFloat),
                 OptionalWeight(tensors_.router_bias, at::kFloat)),
      rule);
}

absl::Status DecoderLayer::RunExperts(const at::Tensor& h,
                                      const Routing& routing,
                                      at::Tensor* residual,
                                      ActivationProbe* probe,
                                      const WeightArrival& arrival) const {
  const at::Tensor x = h.to(type_);
  const std::vector<ExpertTokens> groups = GroupByExpert(routing);
  if (tensors_.dense) {
    MOEPROBE_RETURN_IF_ERROR(arrival(tensors_.dense->down));
    RunExpert(x, *tensors_.dense, 0, groups[0], residual, probe);
    return absl::OkStatus();
  }
  for (size_t e = 0; e < groups.size(); ++e) {
    MOEPROBE_RETURN_IF_ERROR(arrival(tensors_.experts[e].down));
    RunExpert(x, tensors_.experts[e], static_cast<int64_t>(e), groups[e],
              residual, probe);
  }
  if (tensors_.shared && tensors_.shared_gate) {
    MOEPROBE_RETURN_IF_ERROR(arrival(*tensors_.shared_gate));
    RunExpert(x, *tensors_.shared, config_.experts.count,
              SharedTokens(h, *tensors_.shared_gate), residual, probe);
  }
  return absl::OkStatus();
}

void DecoderLayer::RunExpert(const at::Tensor& x, const MlpTensors& tensors,
                             int64_t expert, const ExpertTokens& routed,
                             at::Tensor* residual,
                             ActivationProbe* probe) const {
  const Mlp mlp(tensors, type_);
  if (routed.tokens.size(0) > 0) {
    const ExpertRun run = probe != nullptr ? probe->Plan(expert, routed)
                                           : PlanRoutedTokens(routed);
    at::Tensor output = mlp.Run(x, residual != nullptr ? run : SumsOf(run));
    if (residual != nullptr) {
      output.mul_(routed.gates.unsqueeze(1));
      residual->index_add_(0, routed.tokens, output);
    }
  }
  if (probe == nullptr) return;
  const std::optional<ExpertRun> others = probe->PlanOthers(expert, routed);
  if (others.has_value()) mlp.Run(x, *others);
}

}  // namespace moeprobe
