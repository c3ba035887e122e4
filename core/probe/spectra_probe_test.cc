#include "core/probe/spectra_probe.h"

#include <ATen/Context.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/full.h>
#include <ATen/ops/linalg_svdvals.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/zeros.h>
#include <c10/core/ScalarType.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "core/checkpoint/checkpoint.h"
#include "core/geometry/spectral_decay.h"
#include "core/model/router.h"
#include "core/probe/expert_fixture.h"
#include "core/probe/probe_options.h"
#include "core/probe/probe_result.h"
#include "core/probe/probed_layer.h"
#include "core/probe/token_bootstrap.h"
#include "core/significance/window_groups.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace moeprobe {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr int64_t kWidth = 6;

// A layer with four experts of which each token has two, and what the probe
// says of it.
class SpectraProbeTest : public testing::Test {
 protected:
  SpectraProbeTest() {
    at::manual_seed(6);
    for (int e = 0; e < 4; ++e) experts_.emplace_back(kWidth, 9);
    for (const ExpertFixture& expert : experts_) {
      tensors_.experts.push_back(expert.Tensors());
    }
    h_ = at::randn({40, kWidth});
    counted_ = at::ones({40}, at::kBool);
    router_ = at::randn({4, kWidth});
  }

  ProbeResult Run(int64_t tokens, int64_t top = 16, int64_t seed = 0) {
    routing_ = Route(h_, router_, {.per_token = 2, .renormalize = true});
    auto result =
        TokenSpectra({.tensors = tensors_,
                      .h = h_,
                      .routing = routing_,
                      .counted = counted_},
                     {.tokens_per_expert = tokens, .top = top}, seed,
                     bootstrap_, [](double) { return absl::OkStatus(); });
    EXPECT_TRUE(result.ok()) << result.status();
    return *std::move(result);
  }

  static std::vector<double> Numbers(const ProbeResult& result,
                                     const std::string& name) {
    for (const NamedArray& named : result.arrays) {
      if (named.name != name) continue;
      std::vector<double> numbers(named.array.bytes.size() / sizeof(double));
      std::memcpy(numbers.data(), named.array.bytes.data(),
                  named.array.bytes.size());
      return numbers;
    }
    ADD_FAILURE() << "no array " << name;
    return {};
  }

  std::vector<ExpertFixture> experts_;
  LayerTensors tensors_;
  at::Tensor h_, counted_, router_;
  Routing routing_;
  TokenBootstrap bootstrap_;
};

TEST_F(SpectraProbeTest, AveragesTheTokensRoutedToAnExpert) {
  counted_.slice(0, 0, 7).fill_(false);
  const ProbeResult result = Run(kAllTokens);
  const at::Tensor tokens = GroupByExpert(routing_)[2].tokens;
  std::vector<at::Tensor> spectra;
  for (int64_t i = 0; i < tokens.size(0); ++i) {
    const auto token = tokens[i].item<int64_t>();
    if (token < 7) continue;
    spectra.push_back(
        at::linalg_svdvals(experts_[2].JacobianByAutograd(h_[token])));
  }
  const at::Tensor values = at::stack(spectra);
  const at::Tensor norms = values.square().sum(1);
  const std::vector<double> mean = Numbers(result, "singular_values_mean");
  const std::vector<double> deviation = Numbers(result, "singular_values_std");
  ASSERT_EQ(mean.size(), 4 * kWidth);
  for (int64_t i = 0; i < kWidth; ++i) {
    const auto at = static_cast<size_t>(2 * kWidth + i);
    EXPECT_NEAR(mean[at], values.mean(0)[i].item<double>(), 1e-6);
    if (i == 0) {
      EXPECT_EQ(Numbers(result, "leading_singular_value")[2], mean[at]);
    }
    EXPECT_NEAR(deviation[at], values.std(0, false)[i].item<double>(), 1e-6);
  }
  EXPECT_NEAR(Numbers(result, "jacobian_norm_squared_mean")[2],
              norms.mean().item<double>(), 1e-6);
  EXPECT_NEAR(Numbers(result, "stable_rank")[2],
              (norms / values.select(1, 0).square()).mean().item<double>(),
              1e-6);
  EXPECT_NEAR(Numbers(result, "singular_value_decay")[2],
              SpectralDecay(values).mean().item<double>(), 1e-6);
  EXPECT_EQ(Numbers(result, "singular_values_error")[2], 0);
  EXPECT_TRUE(result.warnings.empty());
}

TEST_F(SpectraProbeTest, SamplesBySeed) {
  const auto mean = [&](int64_t tokens, int64_t seed) {
    return Numbers(Run(tokens, 3, seed), "singular_values_mean");
  };
  EXPECT_EQ(mean(4, 1), mean(4, 1));
  EXPECT_NE(mean(4, 1), mean(4, 2));
  EXPECT_EQ(mean(1000, 1), mean(kAllTokens, 2));
}

TEST_F(SpectraProbeTest, OfOneTokenHasNoDeviation) {
  EXPECT_THAT(Numbers(Run(1, 2), "singular_values_std"),
              testing::Each(testing::DoubleEq(0)));
}

TEST_F(SpectraProbeTest, IsNanWithAWarningWhereNoTokenIsRouted) {
  h_.copy_(h_[0].expand({40, kWidth}));  // all go to the same two
  const ProbeResult result = Run(8);
  int missing = 0;
  for (const double rank : Numbers(result, "stable_rank")) {
    missing += std::isnan(rank) ? 1 : 0;
  }
  EXPECT_EQ(missing, 2);
  EXPECT_THAT(result.warnings,
              ElementsAre(HasSubstr("no token"), HasSubstr("no token")));
}

TEST_F(SpectraProbeTest, SaysWhereAJacobianIsZero) {
  h_.zero_();
  const ProbeResult result = Run(8, 2);
  EXPECT_TRUE(std::isnan(Numbers(result, "stable_rank")[0]));
  EXPECT_TRUE(std::isnan(Numbers(result, "singular_value_decay")[0]));
  EXPECT_EQ(Numbers(result, "singular_values_mean")[0], 0);
  EXPECT_THAT(result.warnings, testing::Contains(HasSubstr("is zero at 8 of")));
  EXPECT_THAT(result.warnings, testing::Contains(HasSubstr("no line through")));
}

TEST_F(SpectraProbeTest, HasTheSharedExpertApart) {
  const ExpertFixture shared(kWidth, 4);
  tensors_.shared = shared.Tensors();
  const ProbeResult result = Run(kAllTokens);
  EXPECT_EQ(Numbers(result, "singular_values_mean").size(), 4 * kWidth);
  EXPECT_EQ(Numbers(result, "shared/singular_values_mean").size(), 4);
  EXPECT_EQ(Numbers(result, "shared/stable_rank").size(), 1);
  EXPECT_EQ(Numbers(result, "shared/singular_value_decay").size(), 1);
}

TEST_F(SpectraProbeTest, HasIntervalsOfItsMeansWhereTheyAreDrawn) {
  const ProbeResult without = Run(kAllTokens);
  bootstrap_ = TokenBootstrap(GroupWindows(40, 4), 100, 0);
  const ProbeResult with = Run(kAllTokens);
  for (const std::string name :
       {"leading_singular_value", "stable_rank", "singular_value_decay"}) {
    const std::vector<double> values = Numbers(with, name);
    EXPECT_EQ(values, Numbers(without, name));
    const double mean = std::accumulate(values.begin(), values.end(), 0.0) / 4;
    const std::vector<double> interval = Numbers(with, name + "/interval");
    EXPECT_LT(interval[0], mean);
    EXPECT_GT(interval[1], mean);
    EXPECT_GT(Numbers(with, name + "/se")[0], 0);
  }
  EXPECT_TRUE(std::ranges::none_of(without.arrays, [](const NamedArray& a) {
    return a.probe == "nulls/spectra";
  }));
}

TEST_F(SpectraProbeTest, IsThatOfOneExpertWhereAllAreIdentical) {
  for (ExpertFixture& expert : experts_) expert = experts_[0];
  tensors_.experts.assign(4, experts_[0].Tensors());
  h_.copy_(h_[0].expand({40, kWidth}));  // all states are equal, too
  const std::vector<double> leading =
      Numbers(Run(kAllTokens), "leading_singular_value");
  const double wanted =
      at::linalg_svdvals(experts_[0].JacobianByAutograd(h_[0]))[0]
          .item<double>();
  int routed = 0;
  for (const double value : leading) {
    if (std::isnan(value)) continue;
    EXPECT_NEAR(value, wanted, 1e-6);
    ++routed;
  }
  EXPECT_EQ(routed, 2);
}

TEST_F(SpectraProbeTest, StopsWhenItsReportSaysSo) {
  routing_ = Route(h_, router_, {.per_token = 2});
  const auto result = TokenSpectra(
      {.tensors = tensors_, .h = h_, .routing = routing_, .counted = counted_},
      {}, 0, {}, [](double share) {
        return share > 0.3 ? absl::CancelledError("stop") : absl::OkStatus();
      });
  EXPECT_TRUE(absl::IsCancelled(result.status()));
}

}  // namespace
}  // namespace moeprobe
