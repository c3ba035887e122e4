#include "core/probe/token_sample.h"

#include <ATen/core/Tensor.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/isin.h>
#include <ATen/ops/tensor.h>
#include <c10/core/ScalarType.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace moeprobe {
namespace {

std::vector<int64_t> Values(const at::Tensor& tokens) {
  const at::Tensor dense = tokens.contiguous();
  const auto* data = dense.const_data_ptr<int64_t>();
  return {data, data + dense.numel()};
}

at::Tensor UpTo(int64_t count) { return at::arange(count, at::kLong); }

TEST(SampleTokensTest, GivesTheSameSampleForTheSameSeedAscending) {
  const std::vector<int64_t> sample = Values(SampleTokens(UpTo(1000), 20, 3));
  EXPECT_EQ(sample.size(), 20);
  EXPECT_THAT(sample, testing::WhenSorted(testing::ElementsAreArray(sample)));
  EXPECT_EQ(sample, Values(SampleTokens(UpTo(1000), 20, 3)));
  EXPECT_NE(sample, Values(SampleTokens(UpTo(1000), 20, 4)));
}

TEST(SampleTokensTest, TakesEverythingWhereThereIsNotMore) {
  EXPECT_THAT(Values(SampleTokens(UpTo(5), 8, 0)),
              testing::ElementsAre(0, 1, 2, 3, 4));
  EXPECT_THAT(Values(SampleTokens(UpTo(5), 5, 0)), testing::SizeIs(5));
  EXPECT_THAT(Values(SampleTokens(UpTo(0), 8, 0)), testing::IsEmpty());
}

TEST(SampleTokensTest, OfAPartHasWhatTheSampleOfTheWholeHasThere) {
  const at::Tensor whole = UpTo(1000);
  const at::Tensor part = whole.masked_select(whole.remainder(3).eq(1));
  const at::Tensor common = SampleTokens(whole, 30, 9);
  const at::Tensor there = common.masked_select(at::isin(common, part));
  ASSERT_GT(there.numel(), 0);
  EXPECT_TRUE(at::isin(there, SampleTokens(part, 30, 9)).all().item<bool>());
}

TEST(SampleTokensTest, TakesEachTokenEquallyOften) {
  std::vector<int> taken(20);
  constexpr int kDraws = 4000;
  for (int64_t seed = 0; seed < kDraws; ++seed) {
    for (const int64_t token : Values(SampleTokens(UpTo(20), 5, seed))) {
      ++taken[static_cast<size_t>(token)];
    }
  }
  // Five standard deviations of a binomial count.
  const double allowed = 5 * std::sqrt(kDraws * 0.25 * 0.75);
  for (const int count : taken) EXPECT_NEAR(count, kDraws / 4.0, allowed);
}

TEST(SpreadTokensTest, KeepsEvenDistances) {
  EXPECT_THAT(Values(SpreadTokens(UpTo(10), 4)),
              testing::ElementsAre(0, 2, 5, 7));
  EXPECT_THAT(Values(SpreadTokens(at::tensor({4, 9}, at::kLong), 4)),
              testing::ElementsAre(4, 9));
}

}  // namespace
}  // namespace moeprobe
