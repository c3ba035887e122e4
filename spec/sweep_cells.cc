#include "spec/sweep_cells.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "moeprobe/v1/analysis.pb.h"
#include "spec/scalar_field.h"

namespace moeprobe {
namespace {

bool Sets(const SweepCell& cell, const std::string& field) {
  return std::ranges::any_of(cell.settings, [&](const auto& setting) {
    return setting.first == field;
  });
}

// The cell at place `index` of the product of all axes.
SweepCell CellAt(const v1::AnalyzeSpec& spec, int64_t index) {
  SweepCell cell{.prefix = absl::StrCat("sweep", index, "/"),
                 .settings = {},
                 .spec = spec};
  cell.spec.clear_sweep();
  for (int a = spec.sweep_size() - 1; a >= 0; --a) {
    const v1::SweepAxis& axis = spec.sweep(a);
    const std::string& value =
        axis.values(static_cast<int>(index % axis.values_size()));
    index /= axis.values_size();
    cell.settings.emplace_back(axis.field(), value);
    SetField(axis.field(), value, cell.spec).IgnoreError();
  }
  std::ranges::reverse(cell.settings);
  const bool takes_all =
      cell.spec.routing().select() == v1::ROUTING_SELECTION_ALL;
  if (takes_all && !Sets(cell, "routing.top_k")) {
    cell.spec.mutable_routing()->clear_top_k();
  }
  return cell;
}

}  // namespace

int64_t CountCells(const v1::AnalyzeSpec& spec) {
  constexpr int64_t kMost = std::numeric_limits<int32_t>::max();
  int64_t count = 1;
  for (const v1::SweepAxis& axis : spec.sweep()) {
    count = std::min(count * axis.values_size(), kMost);
  }
  return count;
}

std::vector<SweepCell> CellsOf(const v1::AnalyzeSpec& spec) {
  if (spec.sweep().empty()) {
    return {{.prefix = "", .settings = {}, .spec = spec}};
  }
  std::vector<SweepCell> cells;
  const int64_t count = CountCells(spec);
  cells.reserve(static_cast<size_t>(count));
  for (int64_t i = 0; i < count; ++i) cells.push_back(CellAt(spec, i));
  return cells;
}

}  // namespace moeprobe
