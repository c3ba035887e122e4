#include "server/null_groups.h"

#include <set>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "moeprobe/v1/analysis.pb.h"

namespace moeprobe {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

v1::NullSpec Nulls(int random_router, int bootstrap) {
  v1::NullSpec nulls;
  nulls.set_random_router(random_router);
  nulls.set_bootstrap(bootstrap);
  return nulls;
}

v1::ProbeSpec Averages(bool all) {
  v1::ProbeSpec probes;
  probes.mutable_jacobian()->add_average(v1::WEIGHTING_GATE);
  if (all) probes.mutable_jacobian()->add_average(v1::WEIGHTING_ALL);
  return probes;
}

TEST(NullGroupsTest, AreNamedAfterWhatTheyAreAbout) {
  EXPECT_THAT(NullGroups({"routing", "jacobian/all", "jacobian/gate",
                          "pca/routed", "pca/reference", "pca/matched",
                          "router_term", "spectra", "spectra/gate"},
                         Nulls(99, 200)),
              ElementsAre("nulls/jacobian/all", "nulls/jacobian/gate",
                          "nulls/pca/routed", "nulls/pca/reference",
                          "nulls/router_term", "nulls/spectra"));
  EXPECT_EQ(BaseOfNulls("nulls/pca/routed"), "pca/routed");
  EXPECT_EQ(BaseOfNulls("pca/routed"), "");
}

TEST(NullGroupsTest, AreNoneWhereNothingIsDrawn) {
  EXPECT_THAT(NullGroups({"jacobian/all", "pca/routed"}, Nulls(0, 0)),
              IsEmpty());
}

TEST(NullGroupsTest, HaveOnlyIntervalsWhereRoutingDoesNotEnter) {
  EXPECT_THAT(NullGroups({"router_term", "spectra"}, Nulls(99, 0)), IsEmpty());
  v1::NullSpec permutations;
  permutations.set_permutations(9);
  EXPECT_THAT(NullGroups({"pca/routed", "spectra"}, permutations),
              ElementsAre("nulls/pca/routed"));
  v1::NullSpec weights;
  weights.set_random_weights(9);
  EXPECT_THAT(NullGroups({"jacobian/all", "router_term"}, weights),
              ElementsAre("nulls/jacobian/all"));
}

TEST(NullGroupsTest, AreMadeWithTheirBases) {
  EXPECT_THAT(WithBases({"nulls/pca/routed", "routing"}, v1::ProbeSpec()),
              ElementsAre("nulls/pca/routed", "pca/routed", "routing"));
  EXPECT_THAT(
      WithBases({"nulls/jacobian/gate"}, Averages(true)),
      ElementsAre("jacobian/all", "jacobian/gate", "nulls/jacobian/gate"));
  EXPECT_THAT(WithBases({"nulls/jacobian/gate"}, Averages(false)),
              ElementsAre("jacobian/gate", "nulls/jacobian/gate"));
  EXPECT_THAT(WithBases({"jacobian/gate"}, Averages(true)),
              ElementsAre("jacobian/gate"));
}

TEST(NullGroupsTest, AreDrawnOnlyWhereTheyAreMissing) {
  EXPECT_EQ(NullsFor({"nulls/pca/routed"}, Nulls(9, 50)).random_router(), 9);
  EXPECT_EQ(NullsFor({"pca/routed"}, Nulls(9, 50)).random_router(), 0);
}

}  // namespace
}  // namespace moeprobe
