#include "core/geometry/rank_correlation.h"

#include <cmath>
#include <limits>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace moeprobe {
namespace {

using testing::ElementsAre;
using testing::IsNan;

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
using Numbers = std::vector<double>;

double Correlate(const Numbers& a, const Numbers& b) {
  return RankCorrelation(a, b);
}

TEST(MidRanksTest, ShareTheMeanWhereNumbersAreEqual) {
  EXPECT_THAT(MidRanks(Numbers{.5, -1, .5, 7}), ElementsAre(2.5, 1, 2.5, 4));
}

TEST(MidRanksTest, LeaveNansOut) {
  EXPECT_THAT(MidRanks(Numbers{3, kNaN, 2}), ElementsAre(2, IsNan(), 1));
}

TEST(RankCorrelationTest, SeesEveryMonotonousRelation) {
  EXPECT_DOUBLE_EQ(Correlate({1, 2, 3, 4}, {1, 10, 100, 1e9}), 1);
  EXPECT_DOUBLE_EQ(Correlate({1, 2, 3, 4}, {-1, -8, -27, -64}), -1);
}

// scipy.stats.spearmanr([1, 2, 2, 4, 5], [3, 1, 4, 1, 5]).statistic
TEST(RankCorrelationTest, IsWhatScipySaysWhereThereAreTies) {
  EXPECT_NEAR(Correlate({1, 2, 2, 4, 5}, {3, 1, 4, 1, 5}), 0.2894736842105264,
              1e-15);
}

TEST(RankCorrelationTest, LeavesOutWhatIsNotKnown) {
  EXPECT_DOUBLE_EQ(Correlate({1, kNaN, 2, 3, 9}, {1, 0, 2, 3, kNaN}), 1);
}

TEST(RankCorrelationTest, IsNanWhereItMeansNothing) {
  EXPECT_THAT(Correlate({1, 2}, {1, 2}), IsNan());
  EXPECT_THAT(Correlate({1, 2, 3}, {5, 5, 5}), IsNan());
  EXPECT_THAT(Correlate({1, kNaN, 3}, {1, 2, 3}), IsNan());
  EXPECT_THAT(Correlate({}, {}), IsNan());
}

}  // namespace
}  // namespace moeprobe
