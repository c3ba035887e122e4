#include "core/plan/itinerary.h"

#include <cstdint>
#include <iterator>
#include <set>
#include <vector>

namespace moeprobe {
namespace {

// The last layer up to `target` that hidden states can be fetched for.
int64_t LastStored(const std::set<int64_t>& stored, int64_t target) {
  const auto behind = stored.upper_bound(target);
  return behind == stored.begin() ? 0 : *std::prev(behind);
}

}  // namespace

std::vector<LayerVisit> PlanItinerary(const std::vector<int64_t>& targets,
                                      const std::set<int64_t>& stored) {
  std::vector<LayerVisit> visits;
  for (const int64_t target : targets) {
    const int64_t fetched = LastStored(stored, target);
    // Fetching is cheaper than running even one layer's experts.
    const bool fetch = visits.empty() || fetched > visits.back().layer;
    int64_t layer = fetched;
    if (!fetch) {
      layer = visits.back().layer + 1;
      visits.back().output = true;
    }
    for (; layer <= target; ++layer) {
      visits.push_back({.layer = layer,
                        .fetch = fetch && layer == fetched,
                        .output = layer < target,
                        .is_target = layer == target});
    }
  }
  return visits;
}

}  // namespace moeprobe
