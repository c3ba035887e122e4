#include "core/train/token_batches.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>

#include <cstddef>
#include <cstdint>
#include <numeric>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace moeprobe {
namespace {

std::vector<int32_t> Counting(int32_t count) {
  std::vector<int32_t> ids(static_cast<size_t>(count));
  std::iota(ids.begin(), ids.end(), 0);
  return ids;
}

TEST(TokenBatchesTest, CutsWindowsThatAreThere) {
  const auto ids = Counting(20);
  const TokenBatches batches(ids, 3, 8, 0);
  const at::Tensor windows = batches.Batch(1);
  ASSERT_EQ(windows.sizes(), (std::vector<int64_t>{8, 4}));
  EXPECT_TRUE(windows.diff().eq(1).all().item<bool>());
  EXPECT_LT(windows.max().item<int64_t>(), 20);
}

TEST(TokenBatchesTest, ReachesBothEnds) {
  const auto ids = Counting(6);
  const TokenBatches batches(ids, 3, 300, 0);
  const at::Tensor starts = batches.Batch(1).select(1, 0);
  EXPECT_EQ(starts.min().item<int64_t>(), 0);
  EXPECT_EQ(starts.max().item<int64_t>(), 2);
}

TEST(TokenBatchesTest, HasOnePlaceInTheShortestText) {
  const auto ids = Counting(4);
  const TokenBatches batches(ids, 3, 2, 0);
  EXPECT_EQ(batches.Batch(9).select(1, 0).max().item<int64_t>(), 0);
}

TEST(TokenBatchesTest, DependsOnSeedAndStep) {
  const auto ids = Counting(5000);
  const TokenBatches one(ids, 3, 4, 1), same(ids, 3, 4, 1), other(ids, 3, 4, 2);
  same.Batch(1);  // nothing is remembered
  EXPECT_TRUE(one.Batch(2).equal(same.Batch(2)));
  EXPECT_FALSE(one.Batch(2).equal(one.Batch(3)));
  EXPECT_FALSE(one.Batch(2).equal(other.Batch(2)));
}

TEST(SpreadWindowsTest, CoversTheTextEvenly) {
  const at::Tensor all = SpreadWindows(Counting(21), 5, 100);
  EXPECT_TRUE(
      all.select(1, 0).equal(SpreadWindows(Counting(22), 5, 4).select(1, 0)));
  EXPECT_EQ(all.size(0), 4);
  const at::Tensor two = SpreadWindows(Counting(21), 5, 2);
  EXPECT_EQ(two[0][0].item<int64_t>(), 0);
  EXPECT_EQ(two[1][0].item<int64_t>(), 10);
  EXPECT_EQ(two[1][5].item<int64_t>(), 15);
}

}  // namespace
}  // namespace moeprobe
