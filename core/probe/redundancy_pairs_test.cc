#include "core/probe/redundancy_pairs.h"

#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "core/base/npy.h"
#include "core/probe/probe_result.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace moeprobe {
namespace {

using testing::ElementsAre;
using testing::Pair;

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

// A matrix of three experts from its entries (0, 1), (0, 2), (1, 2).
NamedArray Matrix(const std::string& name, double a, double b, double c) {
  const std::vector<double> entries = {1, a, b, a, 1, c, b, c, 1};
  NamedArray named{.name = name, .probe = "p", .array = {}};
  named.array.shape = {3, 3};
  named.array.bytes.assign(reinterpret_cast<const char*>(entries.data()),
                           entries.size() * sizeof(double));
  return named;
}

ProbeResult With(std::vector<NamedArray> arrays) {
  return {.arrays = std::move(arrays), .warnings = {}};
}

std::vector<std::pair<int64_t, int64_t>> Order(const ProbeResult& computed) {
  std::vector<std::pair<int64_t, int64_t>> order;
  for (const ExpertPair& pair : RankPairs(computed, "", 3)) {
    order.emplace_back(pair.first, pair.second);
  }
  return order;
}

TEST(RedundancyPairsTest, PutsTheClosestInFunctionFirst) {
  // Mean ranks: 3 and 1, 1 and 2, 2 and 3.
  EXPECT_THAT(Order(With({Matrix("jacobian_cosine/all", .1, .9, .5),
                          Matrix("output_similarity", .8, .5, .2)})),
              ElementsAre(Pair(0, 2), Pair(0, 1), Pair(1, 2)));
}

TEST(RedundancyPairsTest, OrdersEqualPairsByTheirExperts) {
  EXPECT_THAT(Order(With({Matrix("output_similarity", .2, .7, .7)})),
              ElementsAre(Pair(0, 2), Pair(1, 2), Pair(0, 1)));
  EXPECT_THAT(Order({}), ElementsAre(Pair(0, 1), Pair(0, 2), Pair(1, 2)));
}

TEST(RedundancyPairsTest, DoesNotOrderByWeightsWhereFunctionsAreKnown) {
  ProbeResult computed = With({Matrix("weight_overlap/input", .1, .2, .3)});
  EXPECT_THAT(Order(computed), ElementsAre(Pair(1, 2), Pair(0, 2), Pair(0, 1)));
  computed.arrays.push_back(Matrix("output_similarity", .3, .2, .1));
  EXPECT_THAT(Order(computed), ElementsAre(Pair(0, 1), Pair(0, 2), Pair(1, 2)));
}

TEST(RedundancyPairsTest, PutsWhatIsNotKnownLast) {
  EXPECT_THAT(Order(With({Matrix("output_similarity", kNaN, -.5, .1)})),
              ElementsAre(Pair(1, 2), Pair(0, 2), Pair(0, 1)));
}

TEST(RedundancyPairsTest, PrefersTheAlignmentOverAllTokens) {
  const NamedArray routed = Matrix("jacobian_cosine/routed", .1, .2, .3);
  EXPECT_EQ(RankPairs(With({routed}), "", 3)[0].alignment, .3);
  EXPECT_EQ(RankPairs(With({routed, Matrix("jacobian_cosine/all", .9, .1, .2)}),
                      "", 3)[0]
                .alignment,
            .9);
}

TEST(RedundancyPairsTest, PublishesNanForWhatWasNotAskedFor) {
  const ProbeResult result =
      RedundancyPairs(With({Matrix("output_similarity", .3, .2, .1),
                            Matrix("grassmann/routed", 1, 2, 3)}),
                      3);
  ASSERT_EQ(result.arrays.size(), 2);
  EXPECT_EQ(result.arrays[0].array.shape, (std::vector<int64_t>{3, 2}));
  EXPECT_EQ(result.arrays[0].array.type, DataType::kInt64);
  std::vector<double> scores(12);
  ASSERT_EQ(result.arrays[1].array.bytes.size(), 96);
  std::memcpy(scores.data(), result.arrays[1].array.bytes.data(), 96);
  EXPECT_TRUE(std::isnan(scores[0]));
  EXPECT_EQ(scores[1], .3);
  EXPECT_EQ(scores[2], 1);
  EXPECT_TRUE(std::isnan(scores[3]));
}

TEST(RedundancyPairsTest, HasNoPairOfOneExpert) {
  const ProbeResult result = RedundancyPairs({}, 1);
  EXPECT_EQ(result.arrays[0].array.shape, (std::vector<int64_t>{0, 2}));
  EXPECT_EQ(result.arrays[1].array.shape, (std::vector<int64_t>{0, 4}));
}

TEST(RedundancyPairsTest, PublishesTheClosestOnlyWhereThereAreMany) {
  const ProbeResult result = RedundancyPairs({}, 60);
  EXPECT_EQ(result.arrays[0].array.shape, (std::vector<int64_t>{200, 2}));
}

}  // namespace
}  // namespace moeprobe
