#include "server/summary.h"

#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include "core/base/npy.h"
#include "gtest/gtest.h"

namespace moeprobe {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

template <typename T>
Array Make(DataType type, const std::vector<int64_t>& shape,
           const std::vector<T>& entries) {
  Array array{.type = type, .shape = shape, .bytes = {}};
  array.bytes.resize(entries.size() * sizeof(T));
  std::memcpy(array.bytes.data(), entries.data(), array.bytes.size());
  return array;
}

Array MakeDoubles(const std::vector<int64_t>& shape,
                  const std::vector<double>& entries) {
  return Make(DataType::kFloat64, shape, entries);
}

TEST(SummaryTest, AveragesTheUpperTriangleOfAMatrix) {
  const auto summary =
      Summarize("jacobian_cosine/routed",
                MakeDoubles({3, 3}, {1, 2, 4, 9, 1, 6, 9, 9, 1}));
  EXPECT_EQ(summary->count, 3);
  EXPECT_DOUBLE_EQ(summary->mean, 4);
  EXPECT_DOUBLE_EQ(summary->deviation, std::sqrt(8.0 / 3));
}

TEST(SummaryTest, AveragesAVectorOfAnyType) {
  const auto counts =
      Summarize("expert_count", Make<int64_t>(DataType::kInt64, {2}, {1, 4}));
  EXPECT_DOUBLE_EQ(counts->mean, 2.5);
  EXPECT_DOUBLE_EQ(counts->deviation, 1.5);
  const auto floats =
      Summarize("x", Make<float>(DataType::kFloat32, {2}, {0.5, 1.5}));
  EXPECT_DOUBLE_EQ(floats->mean, 1);
}

TEST(SummaryTest, TakesASingleNumberAsItIs) {
  const auto summary = Summarize("nll", MakeDoubles({}, {5.25}));
  EXPECT_DOUBLE_EQ(summary->mean, 5.25);
  EXPECT_EQ(summary->count, 1);
  EXPECT_EQ(summary->deviation, 0);
}

TEST(SummaryTest, LeavesNansOut) {
  const auto summary = Summarize("gate_mean", MakeDoubles({3}, {1, kNan, 3}));
  EXPECT_EQ(summary->count, 2);
  EXPECT_DOUBLE_EQ(summary->mean, 2);
}

TEST(SummaryTest, IsNanWhereAllIs) {
  const auto summary = Summarize("gate_mean", MakeDoubles({2}, {kNan, kNan}));
  EXPECT_EQ(summary->count, 0);
  EXPECT_TRUE(std::isnan(summary->mean));
}

TEST(SummaryTest, KeepsQuietWhereAMeanSaysNothing) {
  const Array square = MakeDoubles({2, 2}, {1, 2, 3, 4});
  for (const char* quantity :
       {"coactivation", "pca/routed/eigenvalues", "pca/routed/components",
        "pca/all/basis", "jacobian_mean_singular_values/all",
        "principal_angles/routed", "grassmann/routed/interval",
        "grassmann/routed/p", "grassmann/routed/bootstrap_draws",
        "redundancy_scores"}) {
    EXPECT_FALSE(Summarize(quantity, square).has_value()) << quantity;
  }
  EXPECT_FALSE(Summarize("x", MakeDoubles({1, 2}, {1, 2})).has_value());
  EXPECT_FALSE(Summarize("x", MakeDoubles({1, 1}, {1})).has_value());
  EXPECT_FALSE(Summarize("x", MakeDoubles({1, 1, 1}, {1})).has_value());
}

}  // namespace
}  // namespace moeprobe
