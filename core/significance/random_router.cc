#include "core/significance/random_router.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/bincount.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/tensor.h>
#include <c10/core/ScalarType.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/base/random_stream.h"
#include "core/model/router.h"
#include "core/model/routing_rule.h"
#include "core/significance/draw_stream.h"
#include "core/significance/load_fit.h"
#include "core/significance/routing_draws.h"
#include "core/tensor/concurrent_loop.h"

namespace moeprobe {
namespace {

// Bounds the logits of the draws that are made at once.
constexpr int64_t kMaxLogitBytes = int64_t{256} << 20;

// What a draw has in common with the model's routing.
struct Model {
  at::Tensor deviation;        // [E] float32: of its logits
  std::vector<int64_t> loads;  // by expert
  at::Tensor tokens;           // [n] int64: that count
};

Model Describe(const Routing& routing, const at::Tensor& counted) {
  const at::Tensor tokens = counted.nonzero().flatten();
  const at::Tensor loads =
      routing.chosen.index_select(0, tokens).flatten().bincount(
          {}, routing.logits.size(1));
  const auto* load = loads.const_data_ptr<int64_t>();
  return {.deviation = routing.logits.index_select(0, tokens)
                           .to(at::kDouble)
                           .std(0, /*unbiased=*/false)
                           .to(at::kFloat),
          .loads = {load, load + loads.numel()},
          .tokens = tokens};
}

// Gaussian rows of `count` draws, [count E, d].
at::Tensor RouterRows(int64_t first, int64_t count, int64_t expert_count,
                      int64_t width, int64_t seed) {
  std::vector<at::Tensor> rows;
  rows.reserve(static_cast<size_t>(count));
  for (int64_t draw = first; draw < first + count; ++draw) {
    const uint64_t start =
        DrawStream(seed, DrawKind::kRandomRouter, draw).Next();
    rows.push_back(at::randn({expert_count, width},
                             at::detail::createCPUGenerator(start)));
  }
  return at::cat(rows);
}

// Logits of one draw, [T, E]: centred, which makes them those of centred hidden
// states, then scaled and shifted.
at::Tensor FittedLogits(const at::Tensor& raw, const Model& model,
                        int64_t per_token) {
  const at::Tensor counted = raw.index_select(0, model.tokens);
  const at::Tensor mean = counted.mean(0, /*keepdim=*/false, at::kDouble);
  const at::Tensor deviation =
      counted.to(at::kDouble).std(0, /*unbiased=*/false).to(at::kFloat);
  const at::Tensor scale = (model.deviation / deviation).nan_to_num(0, 0, 0);
  const at::Tensor logits = (raw - mean.to(at::kFloat)) * scale;
  const std::vector<float> biases =
      FitBiases(logits.index_select(0, model.tokens), model.loads, per_token);
  return logits + at::tensor(biases, at::kFloat);
}

}  // namespace

RoutingDraws RandomRouters(const at::Tensor& h, const Routing& routing,
                           const at::Tensor& counted, const RoutingRule& rule,
                           int64_t draws, int64_t seed) {
  const int64_t expert_count = routing.logits.size(1);
  const int64_t per_token = routing.chosen.size(1);
  if (per_token == expert_count || draws == 0) return {};
  const Model model = Describe(routing, counted);
  const int64_t token_count = h.size(0);
  RoutingDraws result{
      .chosen = at::empty({draws, token_count, per_token}, at::kLong),
      .gates = at::empty({draws, token_count, per_token}, at::kFloat)};
  const int64_t logit_bytes =
      token_count * expert_count * int64_t{sizeof(float)};
  const int64_t at_once = std::max<int64_t>(kMaxLogitBytes / logit_bytes, 1);
  for (int64_t first = 0; first < draws; first += at_once) {
    const int64_t count = std::min(at_once, draws - first);
    const at::Tensor logits =
        h.mm(RouterRows(first, count, expert_count, h.size(1), seed).t())
            .view({token_count, count, expert_count});
    ConcurrentLoop(count, 8 * logit_bytes, [&](int64_t draw) {
      const Routing drawn = RouteLogits(
          FittedLogits(logits.select(1, draw), model, per_token), rule);
      result.chosen[first + draw].copy_(drawn.chosen);
      result.gates[first + draw].copy_(drawn.gates);
    });
  }
  return result;
}

}  // namespace moeprobe
