#include "client/result/training_rows.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "client/result/cell_index.h"
#include "client/result/shown_quantities.h"
#include "moeprobe/v1/result.pb.h"
#include "moeprobe/v1/result_service.pb.h"
#include "moeprobe/v1/training.pb.h"

namespace moeprobe {
namespace {

// Halves say how far a distance can be trusted, and numbers of components what
// effective ranks say.
bool IsCompared(const ShownQuantity& shown) {
  const std::string_view name = shown.name;
  return *shown.part == '\0' && !name.ends_with("/components") &&
         name.find("/split_half_") == std::string_view::npos;
}

std::string LossUnit(const v1::TrainSpec& spec) {
  return spec.data().synthetic().objective() ==
                 v1::LEARNING_OBJECTIVE_REGRESSION
             ? "squared error"
             : "nats";
}

// Those that have gates of their own before those that have another's.
std::vector<std::string> ColumnsOf(const v1::Result& result) {
  std::vector<std::string> columns;
  for (const bool swapped : {false, true}) {
    for (const v1::SweepCell& cell : result.cells()) {
      const std::optional<TrainingPlace> place = TrainingPlaceOf(cell);
      if (!place || swapped == SettingOf(cell, "gates").empty()) continue;
      if (std::ranges::find(columns, place->column) == columns.end()) {
        columns.push_back(place->column);
      }
    }
  }
  return columns;
}

}  // namespace

std::optional<TrainingPlace> TrainingPlaceOf(const v1::SweepCell& cell) {
  TrainingPlace place{.column = SettingOf(cell, "variant")};
  const bool is_one = !place.column.empty() &&
                      absl::SimpleAtoi(SettingOf(cell, "seed"), &place.seed) &&
                      absl::SimpleAtoi(SettingOf(cell, "step"), &place.step);
  if (!is_one) return std::nullopt;
  const std::string gates = SettingOf(cell, "gates");
  if (!gates.empty()) absl::StrAppend(&place.column, " as ", gates);
  return place;
}

std::vector<TrainedQuantity> TrainedQuantities(const v1::TrainSpec& spec) {
  const std::string unit = LossUnit(spec);
  std::vector<TrainedQuantity> quantities = {
      {.name = "loss", .title = "Loss, training, " + unit},
      {.name = "held_out_loss", .title = "Loss, held out, " + unit}};
  for (const ShownQuantity& shown : ShownQuantities()) {
    if (!IsCompared(shown)) continue;
    quantities.push_back(
        {.name = shown.name,
         .title = absl::StrCat(shown.group, ", ", shown.title)});
  }
  return quantities;
}

TrainingRows::TrainingRows(const v1::Result& result) {
  const CellIndex cells(result);
  for (const v1::SummaryRow& row : result.summary()) {
    const std::optional<int> cell = cells.Find(row.name());
    const auto place =
        cell ? TrainingPlaceOf(result.cells(*cell)) : std::nullopt;
    if (!place || row.count() == 0 || !std::isfinite(row.mean())) continue;
    steps_[place->column][place->step].insert(place->seed);
    layers_[row.quantity()].insert(row.layer());
    rows_[{.quantity = row.quantity(),
           .layer = row.layer(),
           .column = place->column,
           .step = place->step}][place->seed] = &row;
  }
  columns_ = ColumnsOf(result);
  std::erase_if(columns_, [&](const std::string& column) {
    return !steps_.contains(column);
  });
}

std::vector<int64_t> TrainingRows::Steps(const std::string& column) const {
  std::vector<int64_t> steps;
  for (const auto& [step, seeds] : steps_.at(column)) steps.push_back(step);
  return steps;
}

int64_t TrainingRows::LastStep(const std::string& column) const {
  const auto found = steps_.find(column);
  return found == steps_.end() ? -1 : found->second.rbegin()->first;
}

size_t TrainingRows::SeedCount(const std::string& column, int64_t step) const {
  return steps_.at(column).at(step).size();
}

std::set<int> TrainingRows::Layers(const std::string& quantity) const {
  const auto found = layers_.find(quantity);
  return found == layers_.end() ? std::set<int>() : found->second;
}

TrainingRows::Seeds TrainingRows::Find(const std::string& column, int64_t step,
                                       int layer,
                                       const std::string& quantity) const {
  const auto found = rows_.find(
      {.quantity = quantity, .layer = layer, .column = column, .step = step});
  return found == rows_.end() ? Seeds() : found->second;
}

}  // namespace moeprobe
