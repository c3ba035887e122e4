#include "core/probe/router_term.h"

#include <ATen/Context.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/zeros_like.h>
#include <c10/core/ScalarType.h>
#include <torch/csrc/autograd/autograd.h>

#include <cmath>
#include <cstdint>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "core/checkpoint/checkpoint.h"
#include "core/checkpoint/model_config.h"
#include "core/model/router.h"
#include "core/model/routing_rule.h"
#include "core/model/weight.h"
#include "core/probe/expert_fixture.h"
#include "core/probe/probe_options.h"
#include "core/probe/probe_result.h"
#include "core/probe/token_bootstrap.h"
#include "core/significance/window_groups.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace moeprobe {
namespace {

using testing::Each;
using testing::HasSubstr;

std::vector<double> Numbers(const ProbeResult& result, size_t array) {
  const std::string& bytes = result.arrays.at(array).array.bytes;
  std::vector<double> numbers(bytes.size() / sizeof(double));
  std::memcpy(numbers.data(), bytes.data(), bytes.size());
  return numbers;
}

// A MoE layer, and tokens for it.
struct Layer {
  Layer(int64_t width, int64_t hidden, int64_t expert_count, int64_t tokens,
        ExpertKind kind = ExpertKind::kGatedMlp)
      : h(at::randn({tokens, width})),
        router(at::randn({expert_count, width}) / std::sqrt(width)),
        rule{.per_token = 2, .renormalize = true},
        counted(at::ones({tokens}, at::kBool)) {
    for (int64_t e = 0; e < expert_count; ++e) {
      experts.emplace_back(width, hidden, kind);
    }
  }

  ProbeResult Run(const RouterTermOptions& options = {}) {
    tensors.router = ViewOf(router, "router");
    tensors.experts.clear();
    for (const ExpertFixture& expert : experts) {
      tensors.experts.push_back(expert.Tensors());
    }
    routing = Route(h, router, rule);
    return RouterTerm(
        {.tensors = tensors, .h = h, .routing = routing, .counted = counted},
        rule, options, 0, bootstrap);
  }

  // sum g_e f_e at x [d] float64, by the experts' own gates or by `fixed` ones.
  at::Tensor Output(const at::Tensor& x, const at::Tensor& chosen,
                    const at::Tensor& fixed) const {
    const at::Tensor p =
        router.to(at::kDouble).mv(x).div(rule.temperature).softmax(0);
    at::Tensor gates = p.index_select(0, chosen);
    if (rule.renormalize) gates = gates / gates.sum();
    if (fixed.defined()) gates = fixed;
    at::Tensor sum = at::zeros_like(x);
    for (int64_t c = 0; c < chosen.size(0); ++c) {
      const auto e = static_cast<size_t>(chosen[c].item<int64_t>());
      sum = sum + gates[c] * experts[e].Apply(x);
    }
    return sum;
  }

  at::Tensor Jacobian(int64_t token, const at::Tensor& fixed) const {
    const at::Tensor x = h[token].to(at::kDouble).detach().requires_grad_();
    const at::Tensor output = Output(x, routing.chosen[token], fixed);
    std::vector<at::Tensor> rows;
    rows.reserve(static_cast<size_t>(output.size(0)));
    for (int64_t i = 0; i < output.size(0); ++i) {
      rows.push_back(torch::autograd::grad({output[i]}, {x}, {}, true)[0]);
    }
    return at::stack(rows);
  }

  // The ratio by autograd of the whole block and of it with its gates fixed.
  double Naive(int64_t token) const {
    const at::Tensor full = Jacobian(token, {});
    const at::Tensor frozen =
        Jacobian(token, routing.gates[token].to(at::kDouble));
    return ((full - frozen).norm() / full.norm()).item<double>();
  }

  std::vector<ExpertFixture> experts;
  at::Tensor h, router;
  RoutingRule rule;
  at::Tensor counted;
  LayerTensors tensors;
  Routing routing;
  TokenBootstrap bootstrap;
};

class RouterTermTest : public testing::Test {
 protected:
  RouterTermTest() { at::manual_seed(7); }
};

class RouterTermOfKindTest : public testing::TestWithParam<ExpertKind> {
 protected:
  RouterTermOfKindTest() { at::manual_seed(7); }
};

INSTANTIATE_TEST_SUITE_P(Kinds, RouterTermOfKindTest,
                         testing::ValuesIn(kExpertKinds));

TEST_P(RouterTermOfKindTest, IsThatOfAutogradRenormalisedOrNot) {
  for (const bool renormalize : {true, false}) {
    for (const int64_t per_token : {1, 2, 3}) {
      Layer layer(7, 11, 4, 6, GetParam());
      layer.rule.renormalize = renormalize;
      layer.rule.per_token = per_token;
      const std::vector<double> ratios = Numbers(layer.Run(), 0);
      ASSERT_EQ(ratios.size(), 6);
      for (int64_t t = 0; t < 6; ++t) {
        // 1e-6: gates are float32.
        EXPECT_NEAR(ratios[static_cast<size_t>(t)], layer.Naive(t), 1e-6)
            << renormalize << per_token;
      }
    }
  }
}

TEST_P(RouterTermOfKindTest, IsThatOfAutogradWhereRoutingIsChanged) {
  for (const double temperature : {0.25, 1.0, 4.0}) {
    for (const int64_t per_token : {2, 4}) {
      Layer layer(7, 11, 4, 6, GetParam());
      layer.rule = {.per_token = per_token, .temperature = temperature};
      const std::vector<double> ratios = Numbers(layer.Run(), 0);
      for (int64_t t = 0; t < 6; ++t) {
        // 1e-5: gates are float32, their gradients 1 / 0.25 times as large.
        EXPECT_NEAR(ratios[static_cast<size_t>(t)], layer.Naive(t), 1e-5)
            << temperature << per_token;
      }
    }
  }
}

TEST_F(RouterTermTest, VanishesWhereGatesDoNotMatter) {
  Layer equal(6, 5, 3, 4);
  equal.experts[1] = equal.experts[2] = equal.experts[0];
  EXPECT_THAT(Numbers(equal.Run(), 0), Each(testing::Lt(1e-6)));
  Layer single(6, 5, 3, 4);
  single.rule.per_token = 1;  // renormalised: a gate of 1, whatever x
  EXPECT_THAT(Numbers(single.Run(), 0), Each(testing::Lt(1e-6)));
}

TEST_F(RouterTermTest, DoesNotChangeWhenExpertsOrNeuronsArePermuted) {
  Layer layer(6, 9, 3, 5);
  const std::vector<double> before = Numbers(layer.Run(), 0);
  std::swap(layer.experts[0], layer.experts[2]);
  layer.router = layer.router.flip(0).contiguous();
  layer.experts[1].PermuteNeurons();
  EXPECT_THAT(Numbers(layer.Run(), 0),
              testing::Pointwise(testing::DoubleNear(1e-6), before));
}

TEST_F(RouterTermTest, OfWideLayersIsWithinItsStandardErrors) {
  Layer layer(700, 90, 3, 3);
  ASSERT_GT(700, kMostProbedDirections);
  const ProbeResult result = layer.Run();
  for (int64_t t = 0; t < 3; ++t) {
    const auto i = static_cast<size_t>(t);
    const double error = Numbers(result, 1)[i];
    EXPECT_GT(error, 0);
    EXPECT_LT(error, 0.01);
    EXPECT_NEAR(Numbers(result, 0)[i], layer.Naive(t), 4 * error);
  }
}

TEST_F(RouterTermTest, TakesCountedTokensInPlace) {
  Layer layer(5, 4, 3, 12);
  layer.counted.slice(0, 0, 2).fill_(false);
  const std::vector<double> all = Numbers(layer.Run(), 0);
  EXPECT_EQ(all.size(), 10);
  EXPECT_THAT(
      Numbers(layer.Run({.tokens = 2, .at = TokenPlacement::kFirst}), 0),
      testing::ElementsAre(testing::DoubleNear(all[0], 1e-12),
                           testing::DoubleNear(all[1], 1e-12)));
  EXPECT_THAT(
      Numbers(layer.Run({.tokens = 2, .at = TokenPlacement::kSpread}), 0),
      testing::ElementsAre(testing::DoubleNear(all[0], 1e-12),
                           testing::DoubleNear(all[5], 1e-12)));
}

TEST_F(RouterTermTest, IsNanWithAWarningWhereTheBlockIsFlat) {
  Layer layer(5, 4, 3, 3);
  layer.h[1].zero_();
  const ProbeResult result = layer.Run();
  EXPECT_TRUE(std::isnan(Numbers(result, 0)[1]));
  EXPECT_FALSE(std::isnan(Numbers(result, 0)[0]));
  EXPECT_THAT(result.warnings,
              testing::ElementsAre(HasSubstr("zero at 1 of 3 tokens")));
}

TEST_F(RouterTermTest, HasAnIntervalOfItsMeanWhereItIsDrawn) {
  Layer layer(5, 4, 3, 40);
  layer.h[1].zero_();  // no ratio there
  layer.bootstrap = TokenBootstrap(GroupWindows(40, 4), 100, 0);
  const ProbeResult result = layer.Run();
  const std::vector<double> ratios = Numbers(result, 0);
  double mean = 0;
  for (const double ratio : ratios) {
    if (!std::isnan(ratio)) mean += ratio / 39;
  }
  ASSERT_EQ(result.arrays.size(), 5);
  for (size_t i = 2; i < 5; ++i) {
    EXPECT_EQ(result.arrays[i].probe, "nulls/router_term");
  }
  EXPECT_EQ(result.arrays[2].name, "router_term_ratio/se");
  EXPECT_EQ(result.arrays[3].name, "router_term_ratio/interval");
  EXPECT_LT(Numbers(result, 3)[0], mean);
  EXPECT_GT(Numbers(result, 3)[1], mean);
}

TEST_F(RouterTermTest, IsZeroInADenseLayer) {
  const ExpertFixture mlp(4, 6);
  LayerTensors tensors;
  tensors.dense = mlp.Tensors();
  const at::Tensor h = at::randn({5, 4});
  const at::Tensor counted = at::ones({5}, at::kBool);
  const Routing routing = DenseRouting(5);
  const ProbeResult result = RouterTerm(
      {.tensors = tensors, .h = h, .routing = routing, .counted = counted}, {},
      {}, 0, {});
  EXPECT_THAT(Numbers(result, 0), testing::ElementsAre(0, 0, 0, 0, 0));
}

}  // namespace
}  // namespace moeprobe
