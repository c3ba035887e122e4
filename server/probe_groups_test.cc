#include "server/probe_groups.h"

#include <cstdint>
#include <set>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "moeprobe/v1/analysis.pb.h"
#include "moeprobe/v1/worker_service.pb.h"
#include "server/cache_key.h"

namespace moeprobe {
namespace {

using testing::ElementsAre;

v1::ProbeSpec AllProbes() {
  v1::ProbeSpec probes;
  probes.mutable_routing();
  probes.mutable_jacobian()->add_average(v1::WEIGHTING_ALL);
  probes.mutable_jacobian()->add_average(v1::WEIGHTING_GATE);
  probes.mutable_jacobian()->set_projections(2);
  probes.mutable_jacobian()->set_tokens(16);
  probes.mutable_jacobian()->set_by_tokens(true);
  probes.mutable_pca()->add_conventions(v1::CONVENTION_ROUTED);
  probes.mutable_pca()->add_conventions(v1::CONVENTION_ALL_TOKENS);
  probes.mutable_pca()->set_components(5);
  probes.mutable_spectra()->set_tokens_per_expert(8);
  probes.mutable_spectra()->set_top(16);
  probes.mutable_router_term()->set_tokens(64);
  return probes;
}

v1::NullSpec AllNulls() {
  v1::NullSpec nulls;
  nulls.set_random_router(99);
  nulls.set_bootstrap(200);
  return nulls;
}

TEST(ProbeGroupsTest, NamesWhatProbesMake) {
  EXPECT_THAT(
      ProbeGroups(AllProbes(), v1::NullSpec()),
      ElementsAre("routing", "jacobian/all", "jacobian/corrected/all",
                  "jacobian/projected/all", "jacobian/gate",
                  "jacobian/corrected/gate", "jacobian/projected/gate",
                  "jacobian/token", "jacobian/by_tokens", "pca/routed",
                  "pca/all_tokens", "pca/reference", "pca/matched",
                  "router_term", "spectra", "spectra/all", "spectra/gate"));
  EXPECT_TRUE(ProbeGroups(v1::ProbeSpec(), AllNulls()).empty());
  EXPECT_THAT(ProbeGroups(AllProbes(), AllNulls()),
              testing::IsSupersetOf(
                  {"pca/routed", "nulls/pca/routed", "nulls/jacobian/gate"}));
}

TEST(ProbeGroupsTest, FindsTheSmallestProbesForSomeGroups) {
  const v1::ProbeSpec some =
      ProbesFor({"jacobian/gate", "pca/all_tokens"}, AllProbes());
  EXPECT_FALSE(some.has_routing());
  EXPECT_THAT(some.jacobian().average(), ElementsAre(v1::WEIGHTING_GATE));
  EXPECT_THAT(some.pca().conventions(), ElementsAre(v1::CONVENTION_ALL_TOKENS));
  EXPECT_EQ(some.pca().components(), 5);
  EXPECT_FALSE(some.has_spectra());
  EXPECT_FALSE(some.has_router_term());
  EXPECT_FALSE(ProbesFor({"routing"}, AllProbes()).has_pca());
}

TEST(ProbeGroupsTest, AveragesJacobiansForTheirSpectra) {
  const v1::ProbeSpec some = ProbesFor({"spectra/gate"}, AllProbes());
  EXPECT_THAT(some.jacobian().average(), ElementsAre(v1::WEIGHTING_GATE));
  EXPECT_EQ(some.spectra().top(), 16);
  EXPECT_FALSE(ProbesFor({"spectra"}, AllProbes()).has_jacobian());
  EXPECT_EQ(ProbesFor({"router_term"}, AllProbes()).router_term().tokens(), 64);
}

TEST(ProbeGroupsTest, AveragesJacobiansForWhatIsMadeOfThem) {
  for (const char* group :
       {"jacobian/corrected/gate", "jacobian/projected/gate"}) {
    const v1::ProbeSpec some = ProbesFor({group}, AllProbes());
    EXPECT_THAT(some.jacobian().average(), ElementsAre(v1::WEIGHTING_GATE));
    EXPECT_EQ(some.jacobian().projections(), 2);
    EXPECT_EQ(some.jacobian().tokens(), 0);
  }
  const v1::ProbeSpec tokens = ProbesFor({"jacobian/token"}, AllProbes());
  EXPECT_EQ(tokens.jacobian().tokens(), 16);
  EXPECT_TRUE(tokens.jacobian().average().empty());
  EXPECT_FALSE(tokens.jacobian().by_tokens());
  const v1::ProbeSpec by_tokens =
      ProbesFor({"jacobian/by_tokens"}, AllProbes());
  EXPECT_TRUE(by_tokens.jacobian().by_tokens());
  EXPECT_THAT(by_tokens.jacobian().average(), ElementsAre(v1::WEIGHTING_ALL));
}

TEST(ProbeGroupsTest, RunsAConventionWhereOnlyTheReferenceIsMissing) {
  EXPECT_FALSE(
      ProbesFor({"pca/reference"}, AllProbes()).pca().conventions().empty());
}

TEST(ProbeGroupsTest, RunsWhatNullsAreAbout) {
  const v1::ProbeSpec some =
      ProbesFor({"nulls/jacobian/gate", "nulls/pca/all_tokens"}, AllProbes());
  EXPECT_THAT(some.jacobian().average(),
              ElementsAre(v1::WEIGHTING_ALL, v1::WEIGHTING_GATE));
  EXPECT_THAT(some.pca().conventions(), ElementsAre(v1::CONVENTION_ALL_TOKENS));
  EXPECT_FALSE(some.has_spectra());
}

TEST(CacheKeyTest, OfNullsDependsOnDrawsSeedAndBase) {
  v1::ProbeSpec probes = AllProbes();
  v1::NullSpec nulls = AllNulls();
  CacheKeyFields fields{.weights_fingerprint = "w",
                        .data_fingerprint = "d",
                        .group = "nulls/pca/routed",
                        .probes = &probes,
                        .nulls = &nulls};
  CacheKeyFields base = fields;
  base.group = "pca/routed";
  const std::string base_key = CacheKey(base);
  std::set<std::string> keys = {base_key};
  EXPECT_TRUE(keys.insert(CacheKey(fields)).second);
  nulls.set_bootstrap(100);
  EXPECT_TRUE(keys.insert(CacheKey(fields)).second);
  nulls.set_random_router(9);
  EXPECT_TRUE(keys.insert(CacheKey(fields)).second);
  nulls.set_permutations(9);
  EXPECT_TRUE(keys.insert(CacheKey(fields)).second);
  nulls.set_random_weights(9);
  EXPECT_TRUE(keys.insert(CacheKey(fields)).second);
  nulls.set_keep_draws(true);
  EXPECT_TRUE(keys.insert(CacheKey(fields)).second);
  fields.seed = base.seed = 1;
  EXPECT_TRUE(keys.insert(CacheKey(fields)).second);
  EXPECT_EQ(CacheKey(base), base_key);
  probes.mutable_pca()->set_components(9);
  EXPECT_TRUE(keys.insert(CacheKey(fields)).second);
  fields.group = "nulls/jacobian/gate";
  const std::string with_all = CacheKey(fields);
  probes.mutable_jacobian()->clear_average();
  probes.mutable_jacobian()->add_average(v1::WEIGHTING_GATE);
  EXPECT_NE(CacheKey(fields), with_all);
}

TEST(CacheKeyTest, OfMatchedReferencesDependsOnTheSeed) {
  v1::ProbeSpec probes = AllProbes();
  CacheKeyFields fields{.weights_fingerprint = "w",
                        .data_fingerprint = "d",
                        .group = "pca/matched",
                        .probes = &probes};
  const std::string key = CacheKey(fields);
  fields.seed = 1;
  EXPECT_NE(CacheKey(fields), key);
}

v1::ProbeSpec WithRedundancy() {
  v1::ProbeSpec probes = AllProbes();
  probes.mutable_redundancy()->set_tokens(256);
  probes.mutable_redundancy()->set_rank(128);
  probes.mutable_redundancy()->set_weights(true);
  return probes;
}

TEST(ProbeGroupsTest, NamesWhatTheRedundancyReportCompares) {
  v1::ProbeSpec probes;
  *probes.mutable_redundancy() = WithRedundancy().redundancy();
  EXPECT_THAT(ProbeGroups(probes, {}),
              ElementsAre("redundancy/outputs", "redundancy/weights",
                          "redundancy/pairs"));
  probes.mutable_redundancy()->set_tokens(0);
  EXPECT_THAT(ProbeGroups(probes, {}),
              ElementsAre("redundancy/weights", "redundancy/pairs"));
}

TEST(ProbeGroupsTest, RunsWhatPairsAreRankedBy) {
  const v1::ProbeSpec some = ProbesFor({"redundancy/pairs"}, WithRedundancy());
  EXPECT_THAT(some.jacobian().average(), ElementsAre(v1::WEIGHTING_ALL));
  EXPECT_THAT(some.pca().conventions(), ElementsAre(v1::CONVENTION_ROUTED));
  EXPECT_EQ(some.redundancy().tokens(), 256);
  EXPECT_FALSE(some.has_routing());
  EXPECT_FALSE(ProbesFor({"jacobian/all"}, WithRedundancy()).has_redundancy());
}

TEST(ProbeGroupsTest, RanksPairsForInterventions) {
  v1::ProbeSpec probes = WithRedundancy();
  probes.mutable_interventions()->set_pairs(4);
  EXPECT_EQ(InterventionGroup(12), "interventions/12");
  EXPECT_EQ(InterventionLayer("interventions/12"), 12);
  EXPECT_FALSE(InterventionLayer("redundancy/pairs").has_value());
  const v1::ProbeSpec some = ProbesFor({"interventions/12"}, probes);
  EXPECT_EQ(some.interventions().pairs(), 4);
  EXPECT_EQ(some.redundancy().tokens(), 256);
  EXPECT_THAT(some.jacobian().average(), ElementsAre(v1::WEIGHTING_ALL));
  probes.clear_redundancy();
  EXPECT_FALSE(ProbesFor({"interventions/12"}, probes).has_redundancy());
}

TEST(CacheKeyTest, OfInterventionsDependsOnWhatIsDoneToWhichPairs) {
  v1::ProbeSpec probes = WithRedundancy();
  const CacheKeyFields fields{.weights_fingerprint = "w",
                              .data_fingerprint = "d",
                              .layer = -1,
                              .group = "interventions/3",
                              .probes = &probes};
  std::set<std::string> keys = {CacheKey(fields)};
  probes.mutable_interventions()->set_pairs(4);
  EXPECT_TRUE(keys.insert(CacheKey(fields)).second);
  probes.mutable_interventions()->set_tokens(64);
  EXPECT_TRUE(keys.insert(CacheKey(fields)).second);
  probes.mutable_interventions()->add_kinds(v1::INTERVENTION_KIND_ABLATE);
  EXPECT_TRUE(keys.insert(CacheKey(fields)).second);
  probes.mutable_redundancy()->set_tokens(64);
  EXPECT_TRUE(keys.insert(CacheKey(fields)).second);
}

TEST(CacheKeyTest, OfTheRedundancyReportDependsOnWhatIsCompared) {
  v1::ProbeSpec probes = WithRedundancy();
  std::set<std::string> keys;
  // How many of the three groups have a key that was not there before.
  const auto fresh = [&](int64_t seed) {
    int count = 0;
    for (const char* group :
         {"redundancy/outputs", "redundancy/weights", "redundancy/pairs"}) {
      const CacheKeyFields fields{.weights_fingerprint = "w",
                                  .data_fingerprint = "d",
                                  .group = group,
                                  .seed = seed,
                                  .probes = &probes};
      if (keys.insert(CacheKey(fields)).second) ++count;
    }
    return count;
  };
  EXPECT_EQ(fresh(0), 3);
  EXPECT_EQ(fresh(1), 2);
  probes.mutable_redundancy()->set_tokens(32);
  EXPECT_EQ(fresh(0), 2);
  probes.mutable_redundancy()->set_rank(8);
  EXPECT_EQ(fresh(0), 2);
  probes.mutable_redundancy()->set_weights(false);
  EXPECT_EQ(fresh(0), 1);
  probes.mutable_pca()->set_components(6);
  EXPECT_EQ(fresh(0), 1);
  probes.clear_jacobian();
  EXPECT_EQ(fresh(0), 1);
  probes.mutable_jacobian()->add_average(v1::WEIGHTING_GATE);
  EXPECT_EQ(fresh(0), 0);
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

TEST(CacheKeyTest, OfSpectraDependsOnSampleAndSeed) {
  v1::ProbeSpec probes = AllProbes();
  CacheKeyFields tokens{.weights_fingerprint = "w",
                        .data_fingerprint = "d",
                        .group = "spectra",
                        .probes = &probes};
  CacheKeyFields averages = tokens;
  averages.group = "spectra/gate";
  std::set<std::string> keys = {CacheKey(tokens), CacheKey(averages)};
  EXPECT_EQ(keys.size(), 2);
  tokens.seed = averages.seed = 1;
  EXPECT_TRUE(keys.insert(CacheKey(tokens)).second);
  EXPECT_TRUE(keys.insert(CacheKey(averages)).second);
  probes.mutable_spectra()->set_top(4);
  EXPECT_TRUE(keys.insert(CacheKey(tokens)).second);
  EXPECT_TRUE(keys.insert(CacheKey(averages)).second);
  probes.mutable_spectra()->set_tokens_per_expert(-1);
  EXPECT_TRUE(keys.insert(CacheKey(tokens)).second);
  EXPECT_FALSE(keys.insert(CacheKey(averages)).second);
}

TEST(CacheKeyTest, OfAlignmentsDependsOnWhatTheyAreDrawnWith) {
  v1::ProbeSpec probes = AllProbes();
  std::set<std::string> keys;
  const auto is_new = [&](const char* group, int64_t seed) {
    return keys
        .insert(CacheKey({.weights_fingerprint = "w",
                          .data_fingerprint = "d",
                          .group = group,
                          .seed = seed,
                          .probes = &probes}))
        .second;
  };
  for (const char* group :
       {"jacobian/corrected/gate", "jacobian/projected/gate", "jacobian/token",
        "jacobian/by_tokens"}) {
    EXPECT_TRUE(is_new(group, 0));
    EXPECT_TRUE(is_new(group, 1));
  }
  EXPECT_TRUE(is_new("jacobian/gate", 0));
  EXPECT_FALSE(is_new("jacobian/gate", 1));
  probes.mutable_jacobian()->set_projections(3);
  EXPECT_TRUE(is_new("jacobian/projected/gate", 0));
  EXPECT_FALSE(is_new("jacobian/token", 0));
  probes.mutable_jacobian()->set_tokens(3);
  EXPECT_TRUE(is_new("jacobian/token", 0));
  EXPECT_FALSE(is_new("jacobian/corrected/gate", 0));
}

TEST(CacheKeyTest, OfTheRouterTermDependsOnItsTokens) {
  v1::ProbeSpec probes = AllProbes();
  const CacheKeyFields fields{.weights_fingerprint = "w",
                              .data_fingerprint = "d",
                              .group = "router_term",
                              .probes = &probes};
  std::set<std::string> keys = {CacheKey(fields)};
  probes.mutable_router_term()->set_tokens(32);
  EXPECT_TRUE(keys.insert(CacheKey(fields)).second);
  probes.mutable_router_term()->set_at(v1::TOKEN_PLACEMENT_FIRST);
  EXPECT_TRUE(keys.insert(CacheKey(fields)).second);
}

TEST(CacheKeyTest, DependsOnTheRuleOfRouting) {
  const v1::ProbeSpec probes = AllProbes();
  CacheKeyFields fields{.weights_fingerprint = "w",
                        .data_fingerprint = "d",
                        .group = "pca/reference",
                        .probes = &probes};
  std::set<std::string> keys = {CacheKey(fields)};
  v1::RoutingRule rule;
  const auto differs = [&] {
    fields.routing = rule;
    return keys.insert(CacheKey(fields)).second;
  };
  EXPECT_TRUE(differs());
  rule.set_expert_count(4);
  EXPECT_TRUE(differs());
  rule.set_renormalize(true);
  EXPECT_TRUE(differs());
  rule.set_temperature(0.1);
  EXPECT_TRUE(differs());
  rule.set_temperature(0.1 + 1e-18);
  EXPECT_FALSE(differs());
  rule.set_temperature(0.1 + 1e-16);
  EXPECT_TRUE(differs());
  rule.set_in_forward_pass(true);
  EXPECT_TRUE(differs());
}

TEST(CacheKeyTest, OfTheLossDependsOnTheForwardPassAlone) {
  const v1::ProbeSpec probes = AllProbes();
  CacheKeyFields fields{.weights_fingerprint = "w",
                        .data_fingerprint = "d",
                        .group = kNllGroup,
                        .probes = &probes};
  const std::string own = CacheKey(fields);
  fields.routing.emplace();
  EXPECT_EQ(CacheKey(fields), own);
  fields.routing->set_in_forward_pass(true);
  EXPECT_NE(CacheKey(fields), own);
}

TEST(CacheKeyTest, DoesNotDependOnOtherProbes) {
  v1::ProbeSpec probes = AllProbes();
  CacheKeyFields fields{.weights_fingerprint = "w",
                        .data_fingerprint = "d",
                        .group = "routing",
                        .probes = &probes};
  const std::string key = CacheKey(fields);
  fields.seed = 5;
  probes.mutable_pca()->set_components(9);
  probes.clear_jacobian();
  EXPECT_EQ(CacheKey(fields), key);
}

}  // namespace
}  // namespace moeprobe
