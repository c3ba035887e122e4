#include "client/result/specification_curve.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "client/result/cell_index.h"
#include "client/result/row_nulls.h"
#include "client/result/summary_place.h"
#include "moeprobe/v1/result.pb.h"
#include "moeprobe/v1/result_service.pb.h"

namespace moeprobe {
namespace {

// A quantity taken apart: "pca/routed/effective_rank" is the claim
// "effective_rank" in the reading "routed".
std::pair<std::string, std::string> ClaimAndReading(
    const std::string& quantity) {
  const size_t slash = quantity.find('/');
  if (slash == std::string::npos) return {quantity, ""};
  const std::string first = quantity.substr(0, slash);
  const std::string rest = quantity.substr(slash + 1);
  if (first != "pca") return {first, rest};
  const size_t next = rest.find('/');
  return {rest.substr(next + 1), rest.substr(0, next)};
}

std::string SettingsText(const v1::SweepCell& cell) {
  std::vector<std::string> settings;
  for (const v1::SweepSetting& setting : cell.settings()) {
    settings.push_back(
        absl::StrCat(setting.field().substr(setting.field().rfind('.') + 1),
                     " ", setting.value()));
  }
  return absl::StrJoin(settings, ", ");
}

double StandardScore(double mean, const RowNull& null) {
  return null.deviation > 0 ? (mean - null.mean) / null.deviation
                            : std::numeric_limits<double>::quiet_NaN();
}

void AddOutcomes(const v1::SummaryRow& row, const std::string& settings,
                 std::map<std::string, std::vector<Outcome>>& by_claim) {
  const auto [claim, reading] = ClaimAndReading(row.quantity());
  for (size_t i = 0; i < NullNames().size(); ++i) {
    const std::optional<RowNull> null = NullOf(row, i);
    if (!null) continue;
    Outcome outcome{.part = PartName(PrefixOf(row)),
                    .settings = settings,
                    .layer = row.layer(),
                    .reading = reading,
                    .null = NullNames()[i].key,
                    .mean = row.mean(),
                    .drawn = *null,
                    .z = StandardScore(row.mean(), *null)};
    if (row.has_interval_low()) outcome.low = row.interval_low();
    if (row.has_interval_high()) outcome.high = row.interval_high();
    by_claim[claim].push_back(std::move(outcome));
  }
}

// By z, and NaN comes last.
bool IsLower(const Outcome& a, const Outcome& b) {
  const auto key = [](const Outcome& one) {
    const bool none = std::isnan(one.z);
    return std::tuple(none, none ? 0 : one.z, one.part, one.layer, one.reading,
                      one.null);
  };
  return key(a) < key(b);
}

}  // namespace

std::vector<SpecificationCurve> SpecificationCurves(const v1::Result& result) {
  std::map<std::string, std::vector<Outcome>> by_claim;
  const CellIndex cells(result);
  for (const v1::SummaryRow& row : result.summary()) {
    const std::optional<int> cell = cells.Find(row.name());
    AddOutcomes(row, cell ? SettingsText(result.cells(*cell)) : "", by_claim);
  }
  std::vector<SpecificationCurve> curves;
  for (auto& [claim, outcomes] : by_claim) {
    std::ranges::sort(outcomes, IsLower);
    curves.push_back({.claim = claim, .outcomes = std::move(outcomes)});
  }
  return curves;
}

}  // namespace moeprobe
