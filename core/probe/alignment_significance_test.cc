#include "core/probe/alignment_significance.h"

#include <ATen/Context.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/tensor.h>
#include <c10/core/ScalarType.h>

#include <cmath>
#include <cstdint>
#include <numbers>
#include <string>
#include <vector>

#include "core/checkpoint/model_config.h"
#include "core/model/router.h"
#include "core/probe/alignment_replicates.h"
#include "core/probe/expert_fixture.h"
#include "core/probe/probe_fixture.h"
#include "core/probe/probe_options.h"
#include "core/probe/probe_result.h"
#include "core/significance/bootstrap_counts.h"
#include "core/significance/random_router.h"
#include "core/significance/routing_draws.h"
#include "core/significance/shuffled_routing.h"
#include "core/significance/window_groups.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace moeprobe {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::Each;
using testing::Ge;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Le;

class AlignmentSignificanceTest : public testing::Test {
 protected:
  AlignmentSignificanceTest() { at::manual_seed(27); }
};

class AlignmentSignificanceOfKindTest
    : public AlignmentSignificanceTest,
      public testing::WithParamInterface<ExpertKind> {};

INSTANTIATE_TEST_SUITE_P(Kinds, AlignmentSignificanceOfKindTest,
                         testing::ValuesIn(kExpertKinds));

NullRoutings Draw(const ProbeFixture& layer, int64_t routers,
                  int64_t permutations) {
  return {.random_router = RandomRouters(layer.h, layer.routing, layer.counted,
                                         layer.rule, routers, 0),
          .permutations =
              ShuffledRouting(layer.routing, layer.counted, permutations, 0)};
}

// The averaged Jacobian of an expert in float64, [d, d].
at::Tensor Average(const ProbeFixture& layer, size_t expert,
                   const at::Tensor& weights) {
  const ExpertFixture& e = layer.experts[expert];
  const at::Tensor x = layer.h.to(at::kDouble);
  const at::Tensor g = x.mm(e.gate.to(at::kDouble).t());
  if (!e.up.defined()) {
    const at::Tensor z = g + e.gate_bias;
    const at::Tensor below = (z / std::sqrt(2)).erf().add(1).div(2);
    const at::Tensor density =
        (-z * z / 2).exp() / std::sqrt(2 * std::numbers::pi);
    const at::Tensor gelu_slope = weights.matmul(below + z * density);
    return e.down.to(at::kDouble).mm(e.gate * gelu_slope.unsqueeze(1));
  }
  const at::Tensor u = x.mm(e.up.to(at::kDouble).t());
  const at::Tensor s = g.sigmoid();
  const at::Tensor slope = weights.matmul(s * (1 + g * (1 - s)) * u);
  const at::Tensor value = weights.matmul(g * s);
  return e.down.to(at::kDouble)
      .mm(e.gate * slope.unsqueeze(1) + e.up * value.unsqueeze(1));
}

// The mean cosine over pairs of averages, each with its weights [T].
double NaiveMean(const ProbeFixture& layer,
                 const std::vector<at::Tensor>& weights) {
  double sum = 0;
  int64_t pairs = 0;
  for (size_t e = 0; e < weights.size(); ++e) {
    for (size_t f = e + 1; f < weights.size(); ++f) {
      sum += CosineOf(Average(layer, e, weights[e]),
                      Average(layer, f, weights[f]));
      ++pairs;
    }
  }
  return sum / static_cast<double>(pairs);
}

TEST_P(AlignmentSignificanceOfKindTest, ResamplesWindows) {
  ProbeFixture layer({.windows = 8, .kind = GetParam()});
  const NullOptions options{.bootstrap = 6, .keep_draws = true};
  const at::Tensor draws = ArrayOf(layer.Probe({}, options),
                                   "jacobian_cosine/routed/bootstrap_draws");
  const at::Tensor counts = BootstrapCounts(8, 6, 0);
  for (int64_t r = 0; r < 6; ++r) {
    const at::Tensor of_token =
        counts[r].index_select(0, layer.groups.of_token);
    std::vector<at::Tensor> weights;
    for (int64_t e = 0; e < 3; ++e) {
      weights.push_back(layer.RoutedTo(e) * of_token);
    }
    // 1e-5: sums in float32; at this width the comparison itself is exact.
    EXPECT_NEAR(draws[r].item<double>(), NaiveMean(layer, weights), 1e-5);
  }
}

TEST_P(AlignmentSignificanceOfKindTest, RoutesAsTheNullSays) {
  ProbeFixture layer({.windows = 8, .kind = GetParam()});
  const NullRoutings nulls = Draw(layer, 3, 2);
  const NullOptions options{
      .random_router = 3, .permutations = 2, .keep_draws = true};
  const ProbeResult result = layer.Probe({}, options, nulls);
  const auto check = [&](const RoutingDraws& draws, const std::string& name,
                         bool gate) {
    const at::Tensor values = ArrayOf(result, name);
    ASSERT_EQ(values.size(0), draws.count()) << name;
    for (int64_t r = 0; r < draws.count(); ++r) {
      std::vector<at::Tensor> weights;
      for (int64_t e = 0; e < 3; ++e) {
        const at::Tensor chosen = draws.chosen[r].eq(e).to(at::kDouble);
        weights.push_back((gate ? chosen * draws.gates[r] : chosen).sum(1));
      }
      EXPECT_NEAR(values[r].item<double>(), NaiveMean(layer, weights), 1e-5)
          << name;
    }
  };
  check(nulls.random_router, "jacobian_cosine/routed/null_draws", false);
  check(nulls.random_router, "jacobian_cosine/gate/null_draws", true);
  check(nulls.permutations, "jacobian_cosine/gate/permutation_null_draws",
        true);
  EXPECT_FALSE(ArrayOf(result, "jacobian_cosine/all/p").defined());
  EXPECT_FALSE(ArrayOf(result, "jacobian_cosine_corrected/routed/p").defined());
  const double p = ArrayOf(result, "jacobian_cosine/routed/p").item<double>();
  EXPECT_GE(p, 0.25);
  EXPECT_LE(p, 1);
}

TEST_F(AlignmentSignificanceTest, NeedsEveryTokenForOtherRoutings) {
  ProbeFixture layer;
  const NullOptions options{.random_router = 2, .bootstrap = 3};
  const ProbeResult result = layer.Probe({.average = {Weighting::kRouted}},
                                         options, Draw(layer, 2, 0));
  EXPECT_FALSE(ArrayOf(result, "jacobian_cosine/routed/p").defined());
  EXPECT_TRUE(ArrayOf(result, "jacobian_cosine/routed/se").defined());
  EXPECT_THAT(result.warnings,
              Contains(HasSubstr("ask for `all` in probes.jacobian.average")));
}

// Where only what is of second order comes from random directions.
class WideAlignmentSignificanceTest : public AlignmentSignificanceOfKindTest {
 protected:
  WideAlignmentSignificanceTest()
      : layer_({.width = 96,
                .hidden = 64,
                .windows = 32,
                .sequence_length = 32,
                .kind = GetParam()}) {
    // Tokens with something in common, as in real models.
    layer_.h += 0.5;
    layer_.routing = Route(layer_.h, layer_.router, layer_.rule);
  }

  // Weights of every expert's tokens, each counted so often [T].
  std::vector<at::Tensor> Routed(const at::Tensor& counts) const {
    std::vector<at::Tensor> weights;
    for (int64_t e = 0; e < 3; ++e) {
      weights.push_back(layer_.RoutedTo(e) * counts);
    }
    return weights;
  }

  ProbeFixture layer_;
};

INSTANTIATE_TEST_SUITE_P(Kinds, WideAlignmentSignificanceTest,
                         testing::ValuesIn(kExpertKinds));

TEST_P(WideAlignmentSignificanceTest, ResamplesAsExactly) {
  ASSERT_GT(96, kMostExactReplicates);
  const NullOptions options{.bootstrap = 40, .keep_draws = true};
  const at::Tensor draws = ArrayOf(layer_.Probe({}, options),
                                   "jacobian_cosine/routed/bootstrap_draws");
  const at::Tensor counts = BootstrapCounts(32, 40, 0);
  std::vector<double> exact;
  for (int64_t r = 0; r < 40; ++r) {
    exact.push_back(NaiveMean(
        layer_, Routed(counts[r].index_select(0, layer_.groups.of_token))));
  }
  const at::Tensor truth = at::tensor(exact, at::kDouble);
  // Draws differ from the truth by a fraction of what they tell.
  EXPECT_LT((draws - truth).std().item<double>(),
            0.3 * truth.std().item<double>());
}

TEST_P(WideAlignmentSignificanceTest, ReroutesAsExactly) {
  const NullRoutings nulls = Draw(layer_, 20, 0);
  const NullOptions options{.random_router = 20, .keep_draws = true};
  const ProbeResult result = layer_.Probe({}, options, nulls);
  std::vector<double> exact;
  for (int64_t r = 0; r < 20; ++r) {
    std::vector<at::Tensor> weights;
    for (int64_t e = 0; e < 3; ++e) {
      weights.push_back(
          nulls.random_router.chosen[r].eq(e).to(at::kDouble).sum(1));
    }
    exact.push_back(NaiveMean(layer_, weights));
  }
  const at::Tensor truth = at::tensor(exact, at::kDouble);
  const at::Tensor draws = ArrayOf(result, "jacobian_cosine/routed/null_draws");
  EXPECT_LT((draws - truth).std().item<double>(),
            0.3 * truth.std().item<double>());
  EXPECT_NEAR(draws.mean().item<double>(), truth.mean().item<double>(),
              truth.std().item<double>());
}

// Tokens of a new text from the same source.
void Resample(ProbeFixture& layer, int64_t windows) {
  layer.groups = GroupWindows(windows * 8, 8);
  layer.h = at::randn({windows * 8, 4}) * 0.2 + 1;
  layer.counted = at::ones({windows * 8}, at::kBool);
  // By what tokens differ in, so that no expert has few.
  layer.routing = Route(layer.h - 1, layer.router, layer.rule);
}

TEST_F(AlignmentSignificanceTest, CoversTheTruthAsOftenAsItSays) {
  // Jacobians vary less from token to token than they have in common, so that
  // the plain cosine has next to no bias. The truth: that of a long text.
  const JacobianOptions routed{.average = {Weighting::kRouted}};
  const std::vector<std::string> names = {"jacobian_cosine/routed",
                                          "jacobian_cosine_corrected/routed"};
  ProbeFixture layer({.width = 4, .hidden = 6, .experts = 2});
  layer.rule.per_token = 1;
  Resample(layer, 20000);
  const double truth =
      ArrayOf(layer.Probe(routed), names[0])[0][1].item<double>();
  std::vector<int> covered(names.size());
  for (int i = 0; i < 500; ++i) {
    Resample(layer, 64);
    const ProbeResult result = layer.Probe(routed, {.bootstrap = 200});
    for (size_t n = 0; n < names.size(); ++n) {
      const at::Tensor interval = ArrayOf(result, names[n] + "/interval");
      covered[n] += static_cast<int>(interval[0].item<double>() <= truth &&
                                     truth <= interval[1].item<double>());
    }
  }
  EXPECT_THAT(covered, Each(AllOf(Ge(450), Le(490))));
}

TEST_F(AlignmentSignificanceTest, DoesNotChangeWhenNeuronsArePermuted) {
  ProbeFixture layer({.windows = 8});
  const NullRoutings nulls = Draw(layer, 3, 0);
  const NullOptions options{
      .random_router = 3, .bootstrap = 4, .keep_draws = true};
  const ProbeResult before = layer.Probe({}, options, nulls);
  layer.experts[1].PermuteNeurons();
  const ProbeResult after = layer.Probe({}, options, nulls);
  for (const char* name : {"jacobian_cosine/gate/null_draws",
                           "jacobian_cosine/all/bootstrap_draws",
                           "jacobian_cosine_corrected/all/bootstrap_draws"}) {
    EXPECT_LT((ArrayOf(after, name) - ArrayOf(before, name))
                  .abs()
                  .max()
                  .item<double>(),
              1e-5)
        << name;
  }
}

TEST_F(AlignmentSignificanceTest, DoesNotDependOnWhatElseIsAveraged) {
  ProbeFixture layer({.width = 80, .hidden = 50, .windows = 8});
  const NullRoutings nulls = Draw(layer, 5, 0);
  const NullOptions options{
      .random_router = 5, .bootstrap = 6, .keep_draws = true};
  const ProbeResult all = layer.Probe({.by_tokens = true}, options, nulls);
  const ProbeResult some = layer.Probe(
      {.average = {Weighting::kGate, Weighting::kAll}}, options, nulls);
  for (const char* name :
       {"jacobian_cosine/gate/null_draws", "jacobian_cosine/gate/interval",
        "jacobian_cosine_corrected/all/interval"}) {
    EXPECT_TRUE(ArrayOf(all, name).equal(ArrayOf(some, name))) << name;
  }
}

TEST_F(AlignmentSignificanceTest, OfIdenticalExpertsIsCertain) {
  ProbeFixture layer;
  layer.experts[1] = layer.experts[2] = layer.experts[0];
  const ProbeResult result = layer.Probe({}, {.bootstrap = 20});
  EXPECT_NEAR(ArrayOf(result, "jacobian_cosine/all/se").item<double>(), 0,
              1e-6);
  EXPECT_NEAR(ArrayOf(result, "jacobian_cosine_corrected/all/interval")[0]
                  .item<double>(),
              1, 1e-6);
}

TEST_F(AlignmentSignificanceTest, LeavesOutExpertsWithoutTokens) {
  ProbeFixture layer;
  layer.counted.copy_(layer.routing.chosen.ne(0).all(1));
  const ProbeResult result =
      layer.Probe({}, {.bootstrap = 10, .keep_draws = true});
  EXPECT_GT(ArrayOf(result, "jacobian_cosine/routed/se").item<double>(), 0);
}

TEST_F(AlignmentSignificanceTest, OfOneWindowHasNoSpread) {
  ProbeFixture layer({.windows = 1});
  const ProbeResult result = layer.Probe({}, {.bootstrap = 10});
  EXPECT_NEAR(ArrayOf(result, "jacobian_cosine/all/se").item<double>(), 0,
              1e-12);
  EXPECT_TRUE(std::isnan(
      ArrayOf(result, "jacobian_cosine_corrected/all/se").item<double>()));
}

TEST_F(AlignmentSignificanceTest, OfOneExpertIsNothing) {
  ProbeFixture layer({.experts = 1});
  layer.routing = DenseRouting(layer.h.size(0));
  const ProbeResult result = layer.Probe({}, {.bootstrap = 10});
  EXPECT_FALSE(ArrayOf(result, "jacobian_cosine/all/se").defined());
  EXPECT_THAT(result.warnings, IsEmpty());
}

}  // namespace
}  // namespace moeprobe
