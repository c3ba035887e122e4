#include "core/plan/itinerary.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <set>
#include <vector>

namespace moeprobe {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// What a test expects of a visit, in one line each.
constexpr bool kFetch = true;
constexpr bool kOutput = true;
constexpr bool kTarget = true;

LayerVisit Visit(int64_t layer, bool fetch, bool output, bool is_target) {
  return {
      .layer = layer, .fetch = fetch, .output = output, .is_target = is_target};
}

TEST(ItineraryTest, RunsEveryLayerUpToTheLastTargetWhereNothingIsStored) {
  EXPECT_THAT(PlanItinerary({1, 3}, {}),
              ElementsAre(Visit(0, kFetch, kOutput, !kTarget),
                          Visit(1, !kFetch, kOutput, kTarget),
                          Visit(2, !kFetch, kOutput, !kTarget),
                          Visit(3, !kFetch, !kOutput, kTarget)));
}

TEST(ItineraryTest, RunsTargetsAloneWhereTheyAreStored) {
  EXPECT_THAT(PlanItinerary({0, 3, 4}, {3, 4, 9}),
              ElementsAre(Visit(0, kFetch, !kOutput, kTarget),
                          Visit(3, kFetch, !kOutput, kTarget),
                          Visit(4, kFetch, !kOutput, kTarget)));
}

TEST(ItineraryTest, StartsFromTheLastStoredLayerInFront) {
  EXPECT_THAT(PlanItinerary({5}, {2, 4, 7}),
              ElementsAre(Visit(4, kFetch, kOutput, !kTarget),
                          Visit(5, !kFetch, !kOutput, kTarget)));
}

TEST(ItineraryTest, GoesOnWhereTheNextIsNotStored) {
  EXPECT_THAT(PlanItinerary({2, 4}, {2}),
              ElementsAre(Visit(2, kFetch, kOutput, kTarget),
                          Visit(3, !kFetch, kOutput, !kTarget),
                          Visit(4, !kFetch, !kOutput, kTarget)));
}

TEST(ItineraryTest, StaysWhereItIsWithoutTargets) {
  EXPECT_THAT(PlanItinerary({}, {1}), IsEmpty());
}

// Layers from `first` on, below 20. As a vector first: a set of more layers
// than there are is what RapidCheck gives up on.
rc::Gen<std::set<int64_t>> Layers(int64_t first) {
  return rc::gen::map(rc::gen::container<std::vector<int64_t>>(
                          rc::gen::inRange<int64_t>(first, 20)),
                      [](const std::vector<int64_t>& layers) {
                        return std::set<int64_t>(layers.begin(), layers.end());
                      });
}

RC_GTEST_PROP(ItineraryTest, ReachesEveryTargetByStepsThatFollow, ()) {
  const std::set<int64_t> targets = *Layers(0);
  const std::set<int64_t> stored = *Layers(1);
  const std::vector<LayerVisit> visits =
      PlanItinerary({targets.begin(), targets.end()}, stored);
  std::set<int64_t> visited;
  for (size_t i = 0; i < visits.size(); ++i) {
    const auto [layer, fetch, output, is_target] = visits[i];
    visited.insert(layer);
    RC_ASSERT(!fetch || layer == 0 || stored.contains(layer));
    RC_ASSERT(fetch || (i > 0 && visits[i - 1].layer == layer - 1));
    // Its output is needed exactly where the next visit takes it.
    RC_ASSERT(output == (i + 1 < visits.size() && !visits[i + 1].fetch));
    RC_ASSERT(is_target == targets.contains(layer));
    // Nothing stored is run to.
    RC_ASSERT(fetch || !stored.contains(layer));
  }
  RC_ASSERT(visited.size() == visits.size());
  RC_ASSERT(std::ranges::includes(visited, targets));
}

}  // namespace
}  // namespace moeprobe
