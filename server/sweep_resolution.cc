#include "server/sweep_resolution.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "core/base/quoted.h"
#include "moeprobe/v1/analysis.pb.h"
#include "server/near_name.h"
#include "server/violations.h"
#include "spec/scalar_field.h"
#include "spec/sweep_cells.h"

namespace moeprobe {
namespace {

constexpr int64_t kMostCells = 64;
constexpr size_t kLongestPlainName = 100;

// Whether a name may be shown as it is: most of them are paths of fields.
bool IsPlain(const std::string& name) {
  return !name.empty() && name.size() <= kLongestPlainName &&
         std::ranges::all_of(name, absl::ascii_isgraph);
}

std::string FieldOf(const v1::SweepAxis& axis) {
  const std::string& name = axis.field();
  return absl::StrCat("sweep.", IsPlain(name) ? name : Quoted(name));
}

// Whether a field belongs to a probe that the request does not run.
bool IsOfAbsentProbe(const std::string& field, const v1::AnalyzeSpec& spec) {
  const std::vector<std::string> steps = absl::StrSplit(field, '.');
  if (steps[0] != "probes") return false;
  const v1::ProbeSpec& probes = spec.probes();
  return !v1::ProbeSpec::GetReflection()->HasField(
      probes, v1::ProbeSpec::GetDescriptor()->FindFieldByName(steps[1]));
}

// Adds the axis to the sweep of `spec`, as far as it is right.
void AddValues(const v1::SweepAxis& asked, v1::AnalyzeSpec& spec,
               Violations& violations) {
  v1::SweepAxis axis;
  axis.set_field(asked.field());
  std::set<std::string> seen;
  for (int i = 0; i < asked.values_size(); ++i) {
    const std::string entry = absl::StrCat(FieldOf(asked), "[", i, "]");
    v1::AnalyzeSpec scratch = spec;
    const auto value = SetField(asked.field(), asked.values(i), scratch);
    if (!value.ok()) {
      violations.Add(entry, std::string(value.status().message()));
    } else if (!seen.insert(*value).second) {
      violations.Add(entry, absl::StrCat(*value, " stands there twice"));
    } else {
      axis.add_values(*value);
    }
  }
  if (asked.values().empty()) {
    violations.Add(FieldOf(asked), "no value, expected at least one");
  }
  *spec.add_sweep() = std::move(axis);
}

void AddAxis(const v1::SweepAxis& axis, v1::AnalyzeSpec& spec,
             Violations& violations) {
  const std::vector<std::string> known = SweepableFields();
  const auto is_axis = [&](const v1::SweepAxis& other) {
    return other.field() == axis.field();
  };
  if (std::ranges::find(known, axis.field()) == known.end()) {
    const std::string meant = NearName(axis.field(), known);
    violations.Add(
        FieldOf(axis),
        absl::StrCat(
            "no field that can be swept",
            meant.empty() ? "" : absl::StrCat("; did you mean ", meant, "?")));
  } else if (std::ranges::any_of(spec.sweep(), is_axis)) {
    violations.Add(FieldOf(axis), "stands there twice");
  } else if (IsOfAbsentProbe(axis.field(), spec)) {
    violations.Add(FieldOf(axis), "the request does not run this probe");
  } else {
    AddValues(axis, spec, violations);
  }
}

std::string SettingsText(const SweepCell& cell) {
  return absl::StrJoin(cell.settings, ", ", absl::PairFormatter(" = "));
}

// Where a cell's violation is to be shown: at the value that is to blame, if
// one is.
Violation InSweep(const Violation& found, const SweepCell& cell,
                  const v1::AnalyzeSpec& spec) {
  const std::string field = absl::StrReplaceAll(found.field, {{"[0]", ""}});
  for (int a = 0; a < spec.sweep_size(); ++a) {
    if (spec.sweep(a).field() != field) continue;
    const auto& values = spec.sweep(a).values();
    const auto& value = cell.settings[static_cast<size_t>(a)].second;
    const auto index = std::ranges::find(values, value) - values.begin();
    return {.field = absl::StrCat("sweep.", field, "[", index, "]"),
            .description = found.description,
            .code = found.code,
            .retry_delay = found.retry_delay};
  }
  return {.field = "sweep",
          .description = absl::StrCat("where ", SettingsText(cell), ": ",
                                      found.field, ": ", found.description),
          .code = found.code,
          .retry_delay = found.retry_delay};
}

}  // namespace

void ResolveSweep(const std::vector<v1::SweepAxis>& axes,
                  const CheckCell& check, v1::AnalyzeSpec& spec,
                  Violations& violations) {
  for (const v1::SweepAxis& axis : axes) AddAxis(axis, spec, violations);
  if (!violations.empty()) return;
  if (CountCells(spec) > kMostCells) {
    violations.Add("sweep",
                   absl::StrCat(CountCells(spec), " cells, expected at most ",
                                kMostCells));
    return;
  }
  std::set<std::pair<std::string, std::string>> seen;
  for (const SweepCell& cell : CellsOf(spec)) {
    const Violations of_cell = check(cell.spec);
    for (const Violation& found : of_cell.list()) {
      const Violation violation = InSweep(found, cell, spec);
      if (seen.insert({violation.field, violation.description}).second) {
        violations.Add(violation);
      }
    }
  }
}

}  // namespace moeprobe
