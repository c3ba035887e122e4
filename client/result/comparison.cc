#include "client/result/comparison.h"

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "client/request/job_spec.h"
#include "client/result/difference.h"
#include "client/result/summary_place.h"
#include "core/base/equal_depth.h"
#include "core/base/status_macros.h"
#include "moeprobe/v1/result.pb.h"
#include "moeprobe/v1/result_service.pb.h"

namespace moeprobe {
namespace {

constexpr const char* kDraws = "/bootstrap_draws";

// Part, layer and quantity of a row.
struct Place {
  std::string part;
  int layer{};
  std::string quantity;
  auto operator<=>(const Place&) const = default;
};

Place PlaceOf(const v1::SummaryRow& row) {
  return {.part = PartName(PrefixOf(row)),
          .layer = row.layer(),
          .quantity = row.quantity()};
}

bool IsCompared(const Place& place, const ComparedResult& side) {
  return (!side.part || place.part == *side.part) &&
         (!side.layer || place.layer == *side.layer);
}

const v1::Provenance* ProvenanceOf(const v1::Result& result,
                                   const std::string& part) {
  for (const v1::Provenance& provenance : result.provenance()) {
    if (PartName(provenance.prefix()) == part) return &provenance;
  }
  return nullptr;
}

// Where `b` has what `a` has at `place`.
Place Opposite(const Place& place, const ComparedResult& a,
               const ComparedResult& b) {
  Place opposite = place;
  if (b.part) opposite.part = *b.part;
  if (b.layer) {
    opposite.layer = *b.layer;
    return opposite;
  }
  const auto* of_a = ProvenanceOf(a.result, place.part);
  const auto* of_b = ProvenanceOf(b.result, opposite.part);
  const bool known = of_a != nullptr && of_b != nullptr && place.layer >= 0 &&
                     of_a->layer_count() > 0 && of_b->layer_count() > 0;
  if (!known) return opposite;
  opposite.layer = static_cast<int>(
      LayerAtEqualDepth(place.layer, of_a->layer_count(), of_b->layer_count()));
  return opposite;
}

// Whether draws with the same number resampled the same windows.
bool SameWindows(const ComparedResult& a, const std::string& part_a,
                 const ComparedResult& b, const std::string& part_b) {
  const auto* of_a = ProvenanceOf(a.result, part_a);
  const auto* of_b = ProvenanceOf(b.result, part_b);
  return of_a != nullptr && of_b != nullptr &&
         of_a->data_fingerprint() == of_b->data_fingerprint() &&
         SeedOf(a.result.job()) == SeedOf(b.result.job());
}

DrawnMean DrawnMeanOf(const v1::SummaryRow& row, const ComparedResult& side) {
  const auto draws = side.draws.find(row.name() + kDraws);
  // Numbers of components are several means of one array.
  const bool found =
      draws != side.draws.end() && absl::EndsWith(row.name(), row.quantity());
  return {.mean = row.mean(),
          .draws = found ? draws->second : std::vector<double>()};
}

absl::Status CheckSides(const ComparedResult& a, const ComparedResult& b) {
  if (a.part.has_value() != b.part.has_value()) {
    return absl::InvalidArgumentError(
        "one side names a part, the other does not: expected both or none, "
        "such as 17:model 18:data0/model");
  }
  if (a.layer.has_value() != b.layer.has_value()) {
    return absl::InvalidArgumentError(
        "one side names a layer, the other does not: expected both or none, "
        "such as 17@3 17@5");
  }
  return absl::OkStatus();
}

}  // namespace

std::vector<v1::ArrayInfo> ArraysOfDraws(const v1::Result& result) {
  std::vector<v1::ArrayInfo> arrays;
  for (const v1::ArrayInfo& array : result.arrays()) {
    if (absl::EndsWith(array.name(), kDraws)) arrays.push_back(array);
  }
  return arrays;
}

absl::StatusOr<std::vector<ComparedMeans>> CompareResults(
    const ComparedResult& a, const ComparedResult& b) {
  MOEPROBE_RETURN_IF_ERROR(CheckSides(a, b));
  std::map<Place, const v1::SummaryRow*> of_b;
  for (const v1::SummaryRow& row : b.result.summary()) {
    of_b[PlaceOf(row)] = &row;
  }
  std::vector<ComparedMeans> compared;
  for (const v1::SummaryRow& row : a.result.summary()) {
    const Place place = PlaceOf(row);
    if (!IsCompared(place, a)) continue;
    const Place opposite = Opposite(place, a, b);
    const auto found = of_b.find(opposite);
    if (found == of_b.end()) continue;
    compared.push_back({.a = row,
                        .b = *found->second,
                        .difference = Subtract(
                            DrawnMeanOf(row, a), DrawnMeanOf(*found->second, b),
                            SameWindows(a, place.part, b, opposite.part))});
  }
  if (!compared.empty()) return compared;
  return absl::InvalidArgumentError(
      "the two sides have no quantity in common: see `moeprobe-client show "
      "JOB --json` for their parts and layers");
}

}  // namespace moeprobe
