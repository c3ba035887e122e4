#include "core/plan/analysis_cost.h"

#include <cstdint>
#include <memory>
#include <set>
#include <utility>
#include <vector>

#include "core/checkpoint/checkpoint.h"
#include "core/checkpoint/layer_visitor.h"
#include "core/checkpoint/tensor_view.h"
#include "core/plan/itinerary.h"
#include "core/plan/machine_rates.h"
#include "gtest/gtest.h"
#include "tests/testing/temporary_directory.h"
#include "tests/testing/tiny_checkpoint.h"

namespace moeprobe {
namespace {

constexpr int64_t kTokens = 64;
constexpr int64_t kWidth = 8;  // of a tiny model
constexpr int64_t kStateBytes = kTokens * kWidth * 4;
constexpr int64_t kLayerCount = 3;

class AnalysisCostTest : public testing::Test {
 protected:
  AnalysisCostTest() {
    WriteTinyModel(directory_.path(),
                   MakeTinyModel("mixtral", {.layer_count = kLayerCount}));
    checkpoint_ = *Checkpoint::Open(directory_.path());
  }

  // Of an analysis that probes `targets`, some hidden states being stored.
  AnalysisCost Cost(const std::vector<int64_t>& targets,
                    const std::set<int64_t>& stored = {}) {
    analysis_.visits = PlanItinerary(targets, stored);
    return CostOf(analysis_, *checkpoint_, rates_);
  }

  int64_t WeightBytes(int64_t layer) {
    int64_t bytes = 0;
    for (const TensorView& tensor : checkpoint_->TensorsOfLayer(layer)) {
      bytes += static_cast<int64_t>(tensor.bytes.size());
    }
    return bytes;
  }

  TemporaryDirectory directory_;
  std::unique_ptr<Checkpoint> checkpoint_;
  CostedAnalysis analysis_{
      .counts = {.tokens = kTokens, .sequence_length = 16},
      .probes = {.weightings = 1, .conventions = 1, .reference = true}};
  MachineRates rates_{.float32 = 1e9,
                      .bfloat16 = 1e9,
                      .float64 = 1e9,
                      .eigen = 1e9,
                      .memory = 1e9,
                      .digest = 1e9,
                      .resting_bytes = 1'000'000};
};

TEST_F(AnalysisCostTest, TakesNothingWhereNothingIsMissing) {
  const AnalysisCost cost = Cost({});
  EXPECT_EQ(cost.seconds, 0);
  EXPECT_EQ(cost.peak_memory_bytes, 0);
  EXPECT_EQ(cost.disk_read_bytes, 0);
  EXPECT_EQ(cost.disk_write_bytes, 0);
}

TEST_F(AnalysisCostTest, ReadsTheLayersThatRunAndKeepsWhatIsBetweenThem) {
  const AnalysisCost cost = Cost({1});
  EXPECT_EQ(cost.disk_read_bytes, WeightBytes(0) + WeightBytes(1));
  EXPECT_EQ(cost.disk_write_bytes, kStateBytes);
}

TEST_F(AnalysisCostTest, StartsFromStoredHiddenStates) {
  const AnalysisCost cost = Cost({2}, {2});
  EXPECT_EQ(cost.disk_read_bytes, WeightBytes(2) + kStateBytes);
  EXPECT_EQ(cost.disk_write_bytes, 0);
  EXPECT_LT(cost.seconds, Cost({2}).seconds);
}

TEST_F(AnalysisCostTest, ReadsNoExpertThatNobodyNeeds) {
  analysis_.probes.weightings = 0;
  const AnalysisCost cost = Cost({2}, {2});
  const LayerTensors& layer = checkpoint_->layer(2);
  int64_t experts = 0;
  for (const MlpTensors& expert : layer.experts) {
    VisitMlp(expert, [&](const TensorView& weight) {
      experts += static_cast<int64_t>(weight.bytes.size());
    });
  }
  EXPECT_EQ(cost.disk_read_bytes, WeightBytes(2) - experts + kStateBytes);
}

TEST_F(AnalysisCostTest, TakesTheTimeOfItsOperations) {
  rates_ = {.float32 = 1,  // an operation a second
            .bfloat16 = 1e99,
            .float64 = 1e99,
            .eigen = 1e99,
            .memory = 1e99,
            .digest = 1e99};
  analysis_.probes = {};
  // Layer 1 without its experts: projections, scores of causal pairs, router.
  const double projections = 2.0 * kTokens * kWidth * (8 + 4 + 4 + 8);
  const double scores = 2 * 2.0 * 4 * (16 * 17 / 2) * 8;
  const double router = 2.0 * kTokens * 4 * kWidth;
  EXPECT_NEAR(Cost({1}, {1}).seconds, projections + scores + router, 1);
}

TEST_F(AnalysisCostTest, WaitsForTheSlowerOfReadingAndComputing) {
  rates_.digest = 1;  // a byte a second
  EXPECT_NEAR(
      Cost({1}).seconds,
      static_cast<double>(WeightBytes(0) + WeightBytes(1) + kStateBytes), 1);
}

TEST_F(AnalysisCostTest, HoldsHiddenStatesTwiceBesideWhatTheWorkerHolds) {
  const AnalysisCost cost = Cost({1});
  EXPECT_GT(cost.peak_memory_bytes, 1'000'000 + 2 * kStateBytes);
  analysis_.counts.tokens *= 2;
  EXPECT_GE(Cost({1}).peak_memory_bytes,
            cost.peak_memory_bytes + 2 * kStateBytes);
}

TEST_F(AnalysisCostTest, CostsMoreWithEachProbe) {
  double seconds = Cost({0}).seconds;
  const auto more = [&] {
    const double before = seconds;
    seconds = Cost({0}).seconds;
    return seconds > before;
  };
  analysis_.probes.all_tokens = true;
  EXPECT_TRUE(more());
  analysis_.probes.spectra_tokens = 8;
  EXPECT_TRUE(more());
  analysis_.probes.router_term_tokens = 16;
  EXPECT_TRUE(more());
  analysis_.probes.aligned_tokens = 16;
  EXPECT_TRUE(more());
  analysis_.probes.routings = 99;
  EXPECT_TRUE(more());
  analysis_.probes.bootstrap = 200;
  EXPECT_TRUE(more());
  analysis_.probes.random_weights = 1;
  EXPECT_TRUE(more());
  analysis_.probes.variants = 25;
  analysis_.probes.variant_tokens = 32;
  EXPECT_TRUE(more());
  analysis_.visits = {};
  EXPECT_GT(Cost({0, kLayerCount}).seconds, seconds);  // the loss
}

TEST_F(AnalysisCostTest, RunsVariantsThroughEveryLayerBehindTheirs) {
  analysis_.probes = {.variants = 1, .variant_tokens = 16};
  const auto beside = [&](const std::vector<int64_t>& targets) {
    const double with = Cost(targets).seconds;
    const int64_t variants = std::exchange(analysis_.probes.variants, 0);
    const double without = Cost(targets).seconds;
    analysis_.probes.variants = variants;
    return with - without;
  };
  // The end behind the last layer is a target too, with its own variants.
  EXPECT_NEAR(beside({0, kLayerCount}), kLayerCount * beside({0}), 1e-9);
  EXPECT_NEAR(beside({0, 1}), 3 * beside({0}), 1e-9);
}

}  // namespace
}  // namespace moeprobe
