#include "server/training_cells.h"

#include <algorithm>
#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "moeprobe/v1/training.pb.h"
#include "server/variant_resolution.h"

namespace moeprobe {
namespace {

// Adds 0, `every`, twice `every` and so on up to `last`.
void AddMultiples(int64_t every, int64_t last, std::set<int64_t>& steps) {
  for (int64_t step = 0; step <= last; step += every) steps.insert(step);
}

std::set<int64_t> StepsProbed(const v1::TrainSpec& spec) {
  const int64_t last = spec.optimizer().steps();
  std::set<int64_t> steps{last};
  if (spec.probe().every() > 0) AddMultiples(spec.probe().every(), last, steps);
  return steps;
}

// At most one too many.
int64_t CountProbedSteps(const v1::TrainSpec& spec) {
  if (spec.probe().every() == 0) return 1;
  return spec.optimizer().steps() / spec.probe().every() + 2;
}

// Whether two variants route alike.
bool RouteAlike(const v1::Variant& a, const v1::Variant& b, int64_t experts) {
  return RuleOf(a, experts).SerializeAsString() ==
         RuleOf(b, experts).SerializeAsString();
}

// Places of the variants whose gates a model of `variant` is probed under.
std::vector<int> SwappedGates(const v1::Variant& variant,
                              const v1::TrainSpec& spec) {
  std::vector<int> places;
  if (!HasExperts(variant)) return places;
  for (int place = 0; place < spec.variants_size(); ++place) {
    const v1::Variant& other = spec.variants(place);
    if (std::ranges::count(spec.swap_routing(), other.name()) > 0 &&
        !RouteAlike(variant, other, spec.model().experts())) {
      places.push_back(place);
    }
  }
  return places;
}

}  // namespace

std::vector<int64_t> ProbedSteps(const v1::TrainSpec& spec) {
  const std::set<int64_t> steps = StepsProbed(spec);
  return {steps.begin(), steps.end()};
}

std::vector<int64_t> KeptSteps(const v1::TrainSpec& spec) {
  std::set<int64_t> steps = StepsProbed(spec);
  AddMultiples(spec.checkpoint().every(), spec.optimizer().steps(), steps);
  return {steps.begin(), steps.end()};
}

std::vector<TrainedCell> CellsOf(const v1::TrainSpec& spec) {
  std::vector<TrainedCell> cells;
  const std::vector<int64_t> steps = ProbedSteps(spec);
  for (int variant = 0; variant < spec.variants_size(); ++variant) {
    for (const int64_t seed : spec.seeds()) {
      for (const int64_t step : steps) {
        cells.push_back({.variant = variant, .seed = seed, .step = step});
      }
      for (const int gates : SwappedGates(spec.variants(variant), spec)) {
        cells.push_back({.variant = variant,
                         .seed = seed,
                         .step = steps.back(),
                         .gates = gates});
      }
    }
  }
  return cells;
}

int64_t CountParts(const v1::TrainSpec& spec) {
  return int64_t{spec.variants_size()} * spec.seeds_size() *
         (CountProbedSteps(spec) + spec.swap_routing_size());
}

int64_t CountKeptSteps(const v1::TrainSpec& spec) {
  return CountProbedSteps(spec) +
         spec.optimizer().steps() / spec.checkpoint().every() + 1;
}

std::string PrefixOf(const TrainedCell& cell, const v1::TrainSpec& spec) {
  std::string prefix = absl::StrCat(spec.variants(cell.variant).name(), "/seed",
                                    cell.seed, "/step", cell.step, "/");
  if (cell.gates < 0) return prefix;
  return absl::StrCat(prefix, "gates-", spec.variants(cell.gates).name(), "/");
}

}  // namespace moeprobe
