#include "core/probe/router_term.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>
#include <c10/core/ScalarType.h>
#include <c10/util/Exception.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/checkpoint/tensor_view.h"
#include "core/model/router.h"
#include "core/model/routing_rule.h"
#include "core/model/weight.h"
#include "core/probe/mixture_jacobian.h"
#include "core/probe/probe_options.h"
#include "core/probe/probe_result.h"
#include "core/probe/probed_layer.h"
#include "core/probe/random_directions.h"
#include "core/probe/token_bootstrap.h"
#include "core/probe/token_sample.h"
#include "core/tensor/tensor_array.h"

namespace moeprobe {
namespace {

// Bounds the products of all directions with all tokens.
constexpr int64_t kMaxProductBytes = int64_t{1} << 30;

// For each token, [n] float64.
struct Ratios {
  at::Tensor ratio;
  at::Tensor standard_error;
};

at::Tensor Sample(const at::Tensor& counted, const RouterTermOptions& options) {
  const at::Tensor tokens = counted.nonzero().flatten();
  if (options.at == TokenPlacement::kSpread) {
    return SpreadTokens(tokens, options.tokens);
  }
  return tokens.slice(0, 0, options.tokens);
}

// |N|^2, [n].
at::Tensor SquaredNormOfTerm(const at::Tensor& outputs,
                             const at::Tensor& gradients) {
  return outputs.bmm(outputs.mT())
      .mul_(gradients.bmm(gradients.mT()))
      .sum({1, 2})
      .clamp_min(0);
}

// From A applied to every unit vector: nothing cancels.
Ratios ExactRatios(const MixtureProducts& products,
                   const at::Tensor& gradients) {
  const at::Tensor full =
      gradients.mT().bmm(products.outputs).add_(products.common);  // [n, d, d]
  const at::Tensor ratio = (SquaredNormOfTerm(products.outputs, gradients) /
                            full.square().sum({1, 2}))
                               .sqrt();
  return {.ratio = ratio, .standard_error = at::zeros_like(ratio)};
}

// From A applied to some directions.
Ratios EstimatedRatios(const MixtureProducts& products,
                       const at::Tensor& gradients) {
  const auto width = static_cast<double>(products.common.size(2));
  const auto count = static_cast<double>(products.common.size(1));
  const at::Tensor outputs = products.outputs.to(at::kDouble);
  const at::Tensor squares =
      products.common.square().sum(2, false, at::kDouble) * width;  // [n, m]
  const at::Tensor term = SquaredNormOfTerm(outputs, gradients);
  const at::Tensor cross = (outputs * products.own.to(at::kDouble)).sum({1, 2});
  const at::Tensor full = squares.mean(1) + 2 * cross + term;
  const at::Tensor ratio = (term / full).sqrt();
  // Of m out of d directions that together are all of it.
  const double share = std::sqrt((1 - count / width) / count);
  return {.ratio = ratio,
          .standard_error = ratio * squares.std(1) * share / (2 * full)};
}

Ratios RatiosAt(const ProbedLayer& layer, const RoutingRule& rule,
                const at::Tensor& tokens, const at::Tensor& directions) {
  const std::optional<TensorView>& router = layer.tensors.router;
  TORCH_CHECK(router.has_value(), "a MoE layer has a router");
  const Routing routing = RoutingOfTokens(layer.routing, tokens);
  const at::Tensor gradients =
      GateGradients(routing, StoredWeight(*router), rule);  // [n, k, d]
  const at::ScalarType type = directions.scalar_type();
  const MixtureProducts products = ApplyMixture(
      layer.tensors.experts, layer.h.index_select(0, tokens), routing,
      {.own = gradients.to(type), .common = directions}, type);
  return type == at::kDouble ? ExactRatios(products, gradients)
                             : EstimatedRatios(products, gradients);
}

Ratios AllRatios(const ProbedLayer& layer, const RoutingRule& rule,
                 const at::Tensor& tokens, int64_t seed) {
  const at::Tensor directions = RandomDirections(
      layer.h.size(1), kMostProbedDirections, kMostProbedDirections, seed);
  const auto bytes = static_cast<int64_t>(directions.nbytes());
  std::vector<at::Tensor> ratios;
  std::vector<at::Tensor> errors;
  for (const at::Tensor& some :
       tokens.split(std::max<int64_t>(1, kMaxProductBytes / bytes))) {
    const Ratios part = RatiosAt(layer, rule, some, directions);
    ratios.push_back(part.ratio);
    errors.push_back(part.standard_error);
  }
  return {.ratio = at::cat(ratios), .standard_error = at::cat(errors)};
}

}  // namespace

ProbeResult RouterTerm(const ProbedLayer& layer, const RoutingRule& rule,
                       const RouterTermOptions& options, int64_t seed,
                       const TokenBootstrap& bootstrap) {
  const at::Tensor tokens = Sample(layer.counted, options);
  const at::Tensor none = at::zeros({tokens.size(0)}, at::kDouble);
  const Ratios ratios = layer.tensors.dense || tokens.size(0) == 0
                            ? Ratios{.ratio = none, .standard_error = none}
                            : AllRatios(layer, rule, tokens, seed);
  ProbeResult result;
  const auto add = [&](const std::string& name, const at::Tensor& value) {
    result.arrays.push_back(
        {.name = name, .probe = "router_term", .array = ToArray(value)});
  };
  add("router_term_ratio", ratios.ratio);
  add("router_term_ratio/error", ratios.standard_error);
  const at::Tensor known = ratios.ratio.isnan().logical_not();
  bootstrap.Add("router_term_ratio", "nulls/router_term",
                {{.tokens = tokens.masked_select(known),
                  .values = ratios.ratio.masked_select(known)}},
                result);
  const auto missing = ratios.ratio.isnan().sum().item<int64_t>();
  if (missing > 0) {
    result.warnings.push_back(absl::StrCat(
        "router term: the block's Jacobian is zero at ", missing, " of ",
        tokens.size(0), " tokens; its ratio there is NaN"));
  }
  return result;
}

}  // namespace moeprobe
