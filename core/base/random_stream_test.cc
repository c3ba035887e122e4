#include "core/base/random_stream.h"

#include <cmath>
#include <cstdint>
#include <set>
#include <vector>

#include "gtest/gtest.h"

namespace moeprobe {
namespace {

TEST(RandomStreamTest, BelongsToItsSeedAndIndex) {
  RandomStream a(3, 7), same(3, 7);
  EXPECT_EQ(a.Next(), same.Next());
  std::set<uint64_t> firsts;
  for (int64_t seed = 0; seed < 30; ++seed) {
    for (int64_t index = 0; index < 30; ++index) {
      firsts.insert(RandomStream(seed, index).Next());
    }
  }
  EXPECT_EQ(firsts.size(), 900);
}

TEST(RandomStreamTest, DrawsEachNumberEquallyOften) {
  constexpr int kDraws = 60000;
  std::vector<int> times(6);
  RandomStream stream(1, 0);
  for (int i = 0; i < kDraws; ++i) ++times[stream.Below(6)];
  // Five standard deviations of a binomial count.
  const double allowed = 5 * std::sqrt(kDraws * 5 / 36.0);
  for (const int count : times) EXPECT_NEAR(count, kDraws / 6.0, allowed);
}

TEST(RandomStreamTest, OfNeighbouringDrawsAreUnrelated) {
  constexpr int kDraws = 20000;
  double sum = 0;
  for (int64_t i = 0; i < kDraws; ++i) {
    const double a =
        static_cast<double>(RandomStream(0, i).Below(1000)) - 499.5;
    const double b =
        static_cast<double>(RandomStream(0, i + 1).Below(1000)) - 499.5;
    sum += a * b;
  }
  // Five standard deviations: uniform on 1000 integers has variance 83,333.
  EXPECT_NEAR(sum / kDraws, 0, 5 * 83333.25 / std::sqrt(kDraws));
}

}  // namespace
}  // namespace moeprobe
