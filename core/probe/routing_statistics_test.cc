#include "core/probe/routing_statistics.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/full.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <c10/core/ScalarType.h>

#include <cmath>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "core/base/npy.h"
#include "core/model/router.h"
#include "core/probe/probe_result.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace moeprobe {
namespace {

using testing::DoubleNear;
using testing::ElementsAre;

template <typename T>
std::vector<T> Numbers(const ProbeResult& result, const std::string& name) {
  for (const NamedArray& named : result.arrays) {
    if (named.name != name) continue;
    std::vector<T> numbers(named.array.bytes.size() / sizeof(T));
    std::memcpy(numbers.data(), named.array.bytes.data(),
                named.array.bytes.size());
    return numbers;
  }
  ADD_FAILURE() << "no array " << name;
  return {};
}

// Four tokens in two windows of two, three experts, two chosen.
Routing Example() {
  const at::Tensor logits = at::tensor({3.0F, 2.0F, 0.0F,  //
                                        0.0F, 3.0F, 1.0F,  //
                                        1.0F, 0.0F, 5.0F,  //
                                        0.5F, 0.25F, 5.0F})
                                .view({4, 3});
  return {
      .logits = logits,
      .probabilities = logits.softmax(1),
      .chosen = at::tensor({0, 1, 1, 2, 2, 0, 2, 0}, at::kLong).view({4, 2}),
      .gates = at::tensor({0.7F, 0.3F, 0.6F, 0.4F, 0.9F, 0.1F, 0.8F, 0.2F})
                   .view({4, 2})};
}

at::Tensor Everything() { return at::full({4}, true, at::kBool); }

TEST(RoutingStatisticsTest, CountsTokensAndGates) {
  const ProbeResult result = RoutingStatistics(Example(), Everything(), 2);
  EXPECT_THAT(Numbers<int64_t>(result, "expert_count"), ElementsAre(3, 2, 3));
  EXPECT_THAT(Numbers<double>(result, "gate_mean"),
              ElementsAre(DoubleNear(1.0 / 4, 1e-7), DoubleNear(0.9 / 4, 1e-7),
                          DoubleNear(2.1 / 4, 1e-7)));
}

TEST(RoutingStatisticsTest, CountsPairsOfExperts) {
  EXPECT_THAT(Numbers<int64_t>(RoutingStatistics(Example(), Everything(), 2),
                               "coactivation"),
              ElementsAre(3, 1, 2, 1, 2, 1, 2, 1, 3));
}

TEST(RoutingStatisticsTest, ComparesConsecutiveTokensOfTheSameWindowOnly) {
  // Window 0: first choices 0, 1; choices {0,1}, {1,2} share 1. Window 1: first
  // choices agree. Tokens 1 and 2 are neighbours in different windows.
  EXPECT_THAT(Numbers<double>(RoutingStatistics(Example(), Everything(), 2),
                              "repeat_rate"),
              ElementsAre(0.5, 1.0));
}

TEST(RoutingStatisticsTest, BinsTheMarginBehindTheLastChoice) {
  const ProbeResult result = RoutingStatistics(Example(), Everything(), 2);
  const auto histogram = Numbers<int64_t>(result, "margin_histogram");
  const auto edges = Numbers<double>(result, "margin_edges");
  // Margins 2, 1, 1 and 0.25.
  EXPECT_EQ(histogram[32], 1);
  EXPECT_EQ(histogram[16], 2);
  EXPECT_EQ(histogram[4], 1);
  EXPECT_EQ(edges[16], 1.0);
  EXPECT_TRUE(std::isinf(edges[64]));
}

TEST(RoutingStatisticsTest, PutsHugeMarginsIntoTheLastBin) {
  Routing routing = Example();
  routing.logits = routing.logits * 1000;
  EXPECT_EQ(Numbers<int64_t>(RoutingStatistics(routing, Everything(), 2),
                             "margin_histogram")[63],
            4);
}

TEST(RoutingStatisticsTest, GivesTheEntropyOfTheUniformRouter) {
  Routing routing = Example();
  routing.probabilities = at::full({4, 3}, 1.0 / 3);
  EXPECT_THAT(Numbers<double>(RoutingStatistics(routing, Everything(), 2),
                              "routing_entropy"),
              ElementsAre(DoubleNear(std::log(3.0), 1e-7)));
}

TEST(RoutingStatisticsTest, LeavesOutTokensThatDoNotCount) {
  at::Tensor counted = Everything();
  counted[0] = false;
  const ProbeResult result = RoutingStatistics(Example(), counted, 2);
  EXPECT_THAT(Numbers<int64_t>(result, "expert_count"), ElementsAre(2, 1, 3));
  // Only window 1 still has a pair.
  EXPECT_THAT(Numbers<double>(result, "repeat_rate"), ElementsAre(1.0, 1.0));
}

TEST(RoutingStatisticsTest, OfADenseLayerHasOneExpertAndNoMargin) {
  const ProbeResult result =
      RoutingStatistics(DenseRouting(4), Everything(), 2);
  EXPECT_THAT(Numbers<int64_t>(result, "expert_count"), ElementsAre(4));
  EXPECT_THAT(Numbers<double>(result, "routing_entropy"), ElementsAre(0.0));
  EXPECT_THAT(Numbers<int64_t>(result, "margin_histogram"), testing::Each(0));
}

}  // namespace
}  // namespace moeprobe
