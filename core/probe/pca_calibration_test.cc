// Whether intervals and p say what they claim, on data of known truth. Both
// statistics are smooth in the moments of the tokens as long as eigenvalues are
// apart, which is when the bootstrap is consistent.

#include <ATen/Context.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/tensor.h>
#include <c10/core/ScalarType.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "core/probe/resampled_layer_fixture.h"
#include "gtest/gtest.h"

namespace moeprobe {
namespace {

constexpr int64_t kTokens = 480;  // 40 windows of 12
constexpr int64_t kWidth = 6;

// Tokens of a window have something in common, as those of a text do.
at::Tensor HiddenStates() {
  const at::Tensor scale = (at::arange(kWidth, at::kFloat) * -0.4).exp();
  const at::Tensor tokens = at::randn({kTokens / 12, 12, kWidth}) +
                            at::randn({kTokens / 12, 1, kWidth}) * 0.5;
  return tokens.view({kTokens, kWidth}) * scale;
}

LayerFixture Layer(const NullOptions& nulls) {
  return {.token_count = kTokens,
          .window = 12,
          .width = kWidth,
          .experts = {.count = 3, .per_token = 1, .renormalize = false},
          .options = {.components = 2},
          .nulls = nulls,
          .h = HiddenStates()};
}

// The printed mean of a quantity by expert or pair.
double Printed(const Arrays& arrays, const std::string& quantity) {
  double sum = 0;
  for (const double value : arrays.at(quantity)) sum += value;
  // Distances: the diagonal is zero, and every pair is there twice.
  return quantity == "grassmann/routed" ? sum / 6 : sum / 3;
}

// What 500 data sets give for one quantity.
struct Trials {
  std::vector<double> printed, low, high;

  void Add(const Arrays& arrays, const std::string& quantity) {
    printed.push_back(Printed(arrays, quantity));
    low.push_back(arrays.at(quantity + "/interval")[0]);
    high.push_back(arrays.at(quantity + "/interval")[1]);
  }

  // How many cover the expectation at this number of tokens, which all together
  // know to 1/22 of a standard error: that costs nothing of the coverage.
  int Covered() const {
    const auto truth = at::tensor(printed, at::kDouble).mean().item<double>();
    int covered = 0;
    for (size_t i = 0; i < printed.size(); ++i) {
      if (low[i] <= truth && truth <= high[i]) ++covered;
    }
    return covered;
  }
};

TEST(PcaCalibrationTest, IntervalsCoverTheTruth) {
  at::manual_seed(77);
  const at::Tensor router = at::randn({3, kWidth}) * 2;
  constexpr int kTrials = 500;
  Trials distance, rank;
  for (int trial = 0; trial < kTrials; ++trial) {
    LayerFixture layer = Layer({.bootstrap = 100});
    layer.router = router;
    layer.seed = trial;
    const Arrays arrays = layer.Run();
    distance.Add(arrays, "grassmann/routed");
    rank.Add(arrays, "pca/routed/effective_rank");
  }
  for (const int covered : {distance.Covered(), rank.Covered()}) {
    EXPECT_GE(covered, kTrials * 90 / 100);
    EXPECT_LE(covered, kTrials * 98 / 100);
  }
  RecordProperty("distance", distance.Covered());
  RecordProperty("rank", rank.Covered());
}

TEST(PcaCalibrationTest, PIsUniformUnderTheNull) {
  at::manual_seed(78);
  constexpr int kTrials = 160;
  constexpr int kBins = 4;
  std::vector<int> router_bins(kBins), permutation_bins(kBins);
  const auto count = [](double p, std::vector<int>& bins) {
    ++bins[static_cast<size_t>((p - 1e-9) * kBins)];
  };
  for (int trial = 0; trial < kTrials; ++trial) {
    LayerFixture layer = Layer({.random_router = 19});
    layer.seed = trial;  // and a Gaussian router of its own
    count(layer.Run().at("grassmann/routed/p")[0], router_bins);
    LayerFixture by_chance = Layer({.permutations = 19});
    by_chance.content = 0;
    by_chance.seed = trial;
    count(by_chance.Run().at("grassmann/routed/permutation_p")[0],
          permutation_bins);
  }
  for (const std::vector<int>& bins : {router_bins, permutation_bins}) {
    double chi_square = 0;
    for (const int found : bins) {
      const double expected = static_cast<double>(kTrials) / kBins;
      chi_square += (found - expected) * (found - expected) / expected;
    }
    EXPECT_LT(chi_square, 16.3);  // exceeded once in a thousand, 3 degrees
  }
}

}  // namespace
}  // namespace moeprobe
