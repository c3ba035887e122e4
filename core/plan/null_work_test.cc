#include "core/plan/null_work.h"

#include <cstdint>

#include "core/checkpoint/model_config.h"
#include "core/plan/probe_counts.h"
#include "core/plan/useful_work.h"
#include "gtest/gtest.h"

namespace moeprobe {
namespace {

constexpr TokenCounts kCounts{.tokens = 16384, .sequence_length = 512};

// Mixtral's layer.
ModelConfig Model() {
  ModelConfig model;
  model.width = 4096;
  model.experts = {.count = 8, .per_token = 2, .width = 14336};
  model.layers = {{.is_moe = true, .dense_width = 0, .sliding_window = {}}};
  return model;
}

double Sum(const UsefulWork& work) {
  return work.forward + work.float32 + work.float64 + work.eigen;
}

double NullsOf(const ProbeCounts& probes) {
  const ModelConfig model = Model();
  return Sum(NullWork(model, model.layers[0], kCounts, probes));
}

constexpr ProbeCounts kProbes{.weightings = 3,
                              .all_tokens = true,
                              .conventions = 1,
                              .reference = true,
                              .routings = 99,
                              .bootstrap = 200};

TEST(NullWorkTest, IsNoneWithoutDraws) {
  ProbeCounts probes = kProbes;
  probes.routings = probes.bootstrap = 0;
  EXPECT_EQ(NullsOf(probes), 0);
}

TEST(NullWorkTest, GrowsWithDraws) {
  for (int64_t ProbeCounts::* count :
       {&ProbeCounts::routings, &ProbeCounts::bootstrap,
        &ProbeCounts::conventions}) {
    ProbeCounts more = kProbes;
    more.*count *= 2;
    EXPECT_GT(NullsOf(more), NullsOf(kProbes));
  }
}

TEST(NullWorkTest, DrawsNoRowsWhereExpertsRunOnTheirOwnTokens) {
  ProbeCounts routed = kProbes;
  routed.all_tokens = false;
  // Two weightings, slope and value: 2 operations for each token, row and unit.
  EXPECT_GT(NullsOf(kProbes) - NullsOf(routed),
            8.0 * 2 * 2 * 2 * 99 * 16384 * 14336);
}

TEST(NullWorkTest, CostsLessThanTheAnalysisItself) {
  const ModelConfig model = Model();
  UsefulWork analysis = JacobianWork(model, model.layers[0], kCounts, 3, true);
  analysis += ForwardWork(model, model.layers[0], kCounts);
  EXPECT_LT(NullsOf(kProbes), Sum(analysis));
}

TEST(NullBytesTest, GrowWithThreadsUpToAGibibyte) {
  const ModelConfig model = Model();
  const auto bytes = [&](int threads) {
    ProbeCounts probes = kProbes;
    probes.routings = 0;
    return NullBytes(model, model.layers[0], kCounts, probes, threads);
  };
  EXPECT_GT(bytes(2), bytes(1));
  EXPECT_EQ(bytes(64), 1 << 30);
}

TEST(NullBytesTest, AreNoneWithoutDraws) {
  const ModelConfig model = Model();
  EXPECT_EQ(NullBytes(model, model.layers[0], kCounts, ProbeCounts(), 2), 0);
}

TEST(SampleWorkTest, IsNoneForADenseLayer) {
  ModelConfig model = Model();
  model.layers[0] = {
      .is_moe = false, .dense_width = 14336, .sliding_window = {}};
  EXPECT_EQ(Sum(SampleWork(model, model.layers[0], kCounts, kProbes)), 0);
}

TEST(SampleWorkTest, GrowsWithTheTokensThatJacobiansAreComparedAt) {
  const ModelConfig model = Model();
  ProbeCounts more = kProbes;
  more.aligned_tokens = 16;
  EXPECT_GT(Sum(SampleWork(model, model.layers[0], kCounts, more)),
            Sum(SampleWork(model, model.layers[0], kCounts, kProbes)));
}

}  // namespace
}  // namespace moeprobe
