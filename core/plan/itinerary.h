#ifndef MOEPROBE_CORE_PLAN_ITINERARY_H_
#define MOEPROBE_CORE_PLAN_ITINERARY_H_

#include <cstdint>
#include <set>
#include <vector>

namespace moeprobe {

// One layer on the way of the hidden states.
struct LayerVisit {
  int64_t layer = 0;
  // The hidden states in front of the layer are fetched, stored ones or the
  // embedding; else they are those the visit before ends with.
  bool fetch = false;
  // The hidden states behind the layer are needed by the next visit.
  bool output = false;
  bool is_target = false;

  friend bool operator==(const LayerVisit&, const LayerVisit&) = default;
};

// Returns the shortest way that comes by all `targets`, ascending: the layers
// whose hidden states are wanted. `stored`: in front of which layers they can
// be fetched, beside layer 0, whose are the embedding.
std::vector<LayerVisit> PlanItinerary(const std::vector<int64_t>& targets,
                                      const std::set<int64_t>& stored);

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_PLAN_ITINERARY_H_
