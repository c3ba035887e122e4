#include "server/probe_groups.h"

#include <set>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "moeprobe/v1/analysis.pb.h"
#include "server/cache_key.h"

namespace moeprobe {
namespace {

using testing::ElementsAre;

v1::ProbeSpec AllProbes() {
  v1::ProbeSpec probes;
  probes.mutable_routing();
  probes.mutable_jacobian()->add_average(v1::WEIGHTING_ALL);
  probes.mutable_jacobian()->add_average(v1::WEIGHTING_GATE);
  probes.mutable_pca()->add_conventions(v1::CONVENTION_ROUTED);
  probes.mutable_pca()->add_conventions(v1::CONVENTION_ALL_TOKENS);
  probes.mutable_pca()->set_components(5);
  return probes;
}

TEST(ProbeGroupsTest, NamesWhatProbesMake) {
  EXPECT_THAT(ProbeGroups(AllProbes()),
              ElementsAre("routing", "jacobian/all", "jacobian/gate",
                          "pca/routed", "pca/all_tokens", "pca/reference"));
  EXPECT_TRUE(ProbeGroups(v1::ProbeSpec()).empty());
}

TEST(ProbeGroupsTest, FindsTheSmallestProbesForSomeGroups) {
  const v1::ProbeSpec some =
      ProbesFor({"jacobian/gate", "pca/all_tokens"}, AllProbes());
  EXPECT_FALSE(some.has_routing());
  EXPECT_THAT(some.jacobian().average(), ElementsAre(v1::WEIGHTING_GATE));
  EXPECT_THAT(some.pca().conventions(), ElementsAre(v1::CONVENTION_ALL_TOKENS));
  EXPECT_EQ(some.pca().components(), 5);
  EXPECT_FALSE(ProbesFor({"routing"}, AllProbes()).has_pca());
}

TEST(ProbeGroupsTest, RunsAConventionWhereOnlyTheReferenceIsMissing) {
  EXPECT_FALSE(
      ProbesFor({"pca/reference"}, AllProbes()).pca().conventions().empty());
}

TEST(CacheKeyTest, DependsOnEverythingThatDeterminesTheNumbers) {
  v1::ProbeSpec probes = AllProbes();
  const CacheKeyFields base{.weights_fingerprint = "w",
                            .data_fingerprint = "d",
                            .layer = 3,
                            .group = "pca/routed",
                            .probes = &probes};
  std::set<std::string> keys = {CacheKey(base)};
  const auto differs = [&](auto change) {
    CacheKeyFields fields = base;
    change(fields);
    return keys.insert(CacheKey(fields)).second;
  };
  EXPECT_TRUE(differs([](auto& f) { f.weights_fingerprint = "v"; }));
  EXPECT_TRUE(differs([](auto& f) { f.data_fingerprint = "e"; }));
  EXPECT_TRUE(differs([](auto& f) { f.precision = v1::PRECISION_BFLOAT16; }));
  EXPECT_TRUE(differs([](auto& f) { f.device = v1::DEVICE_CUDA; }));
  EXPECT_TRUE(differs([](auto& f) { f.layer = 4; }));
  EXPECT_TRUE(differs([](auto& f) { f.group = "pca/reference"; }));
  probes.mutable_pca()->set_components(6);
  EXPECT_TRUE(differs([](auto&) {}));
  probes.mutable_pca()->set_basis(true);
  EXPECT_TRUE(differs([](auto&) {}));
  probes.mutable_pca()->set_angles(true);
  EXPECT_TRUE(differs([](auto&) {}));
}

TEST(CacheKeyTest, DoesNotDependOnOtherProbes) {
  v1::ProbeSpec probes = AllProbes();
  CacheKeyFields fields{.weights_fingerprint = "w",
                        .data_fingerprint = "d",
                        .group = "routing",
                        .probes = &probes};
  const std::string key = CacheKey(fields);
  probes.mutable_pca()->set_components(9);
  probes.clear_jacobian();
  EXPECT_EQ(CacheKey(fields), key);
}

}  // namespace
}  // namespace moeprobe
