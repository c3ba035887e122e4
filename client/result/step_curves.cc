#include "client/result/step_curves.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "client/result/decimals.h"
#include "client/result/seed_means.h"
#include "client/result/training_rows.h"
#include "client/text/csv_cell.h"
#include "client/text/format.h"
#include "client/text/table.h"
#include "core/base/printable.h"
#include "moeprobe/v1/result_service.pb.h"

namespace moeprobe {
namespace {

// What curves of one table lie between.
struct Limits {
  double low = std::numeric_limits<double>::infinity();
  double high = -std::numeric_limits<double>::infinity();
};

Limits LimitsOf(std::span<const StepCurve> curves) {
  Limits limits;
  for (const StepCurve& curve : curves) {
    for (const SeedMean& mean : curve.means) {
      limits.low = std::min(limits.low, mean.mean);
      limits.high = std::max(limits.high, mean.mean);
    }
  }
  return limits;
}

// A block a step, as high as its mean.
std::string Blocks(const StepCurve& curve, const Limits& limits) {
  constexpr std::array kBlocks = {"\u2581", "\u2582", "\u2583", "\u2584",
                                  "\u2585", "\u2586", "\u2587", "\u2588"};
  const double range = limits.high - limits.low;
  std::string blocks;
  for (const SeedMean& mean : curve.means) {
    const double share = range > 0 ? (mean.mean - limits.low) / range : 0;
    blocks += kBlocks.at(
        static_cast<size_t>(std::lround(share * (kBlocks.size() - 1))));
  }
  return blocks;
}

// Curves of one quantity and layer.
std::string CurvesTable(std::span<const StepCurve> curves, int width) {
  const Limits limits = LimitsOf(curves);
  const int decimals =
      DecimalsUpTo(std::max(std::abs(limits.low), std::abs(limits.high)));
  std::vector<std::vector<std::string>> rows;
  for (const StepCurve& curve : curves) {
    const auto number = [&](const SeedMean& mean) {
      return absl::StrFormat("%.*f", decimals, mean.mean);
    };
    rows.push_back(
        {absl::StrCat("  ", PrintableLine(curve.column)),
         absl::StrCat(curve.steps.front(), " to ", curve.steps.back()),
         number(curve.means.front()), Blocks(curve, limits),
         number(curve.means.back())});
  }
  const StepCurve& first = curves.front();
  const std::string layer =
      first.layer < 0 ? "" : absl::StrCat(", layer ", first.layer);
  return absl::StrCat(
      first.title, layer, "\n",
      FormatTable({LeftColumn("  variant"), RightColumn("steps"),
                   RightColumn("first"), LeftColumn(""), RightColumn("last")},
                  rows, width));
}

bool SameTable(const StepCurve& a, const StepCurve& b) {
  return a.quantity == b.quantity && a.layer == b.layer;
}

StepCurve CurveOf(const TrainingRows& rows, const TrainedQuantity& quantity,
                  int layer, const std::string& column) {
  StepCurve curve{.quantity = quantity.name,
                  .title = quantity.title,
                  .layer = layer,
                  .column = column,
                  .steps = {},
                  .means = {}};
  for (const int64_t step : rows.Steps(column)) {
    const std::optional<SeedMean> mean =
        MeanOverSeeds(rows.Find(column, step, layer, quantity.name));
    if (!mean) continue;
    curve.steps.push_back(step);
    curve.means.push_back(*mean);
  }
  return curve;
}

}  // namespace

std::vector<StepCurve> StepCurves(const v1::Result& result) {
  const TrainingRows rows(result);
  std::vector<StepCurve> curves;
  for (const TrainedQuantity& quantity :
       TrainedQuantities(result.job().train())) {
    for (const int layer : rows.Layers(quantity.name)) {
      for (const std::string& column : rows.columns()) {
        StepCurve curve = CurveOf(rows, quantity, layer, column);
        if (!curve.steps.empty()) curves.push_back(std::move(curve));
      }
    }
  }
  return curves;
}

std::string StepCurvesText(const std::vector<StepCurve>& curves, int width) {
  std::vector<std::string> tables;
  for (size_t begin = 0; begin < curves.size();) {
    size_t end = begin + 1;
    while (end < curves.size() && SameTable(curves[begin], curves[end])) ++end;
    tables.push_back(
        CurvesTable(std::span(curves).subspan(begin, end - begin), width));
    begin = end;
  }
  return absl::StrJoin(tables, "\n");
}

nlohmann::ordered_json StepCurvesJson(const std::vector<StepCurve>& curves) {
  auto list = nlohmann::ordered_json::array();
  for (const StepCurve& curve : curves) {
    auto means = nlohmann::ordered_json::array();
    auto deviations = nlohmann::ordered_json::array();
    for (const SeedMean& mean : curve.means) {
      means.push_back(mean.mean);
      deviations.push_back(mean.deviation
                               ? nlohmann::ordered_json(*mean.deviation)
                               : nlohmann::ordered_json());
    }
    list.push_back({{"quantity", curve.quantity},
                    {"layer", curve.layer},
                    {"variant", curve.column},
                    {"steps", curve.steps},
                    {"mean", std::move(means)},
                    {"std", std::move(deviations)}});
  }
  return list;
}

std::string StepCurvesCsv(const std::vector<StepCurve>& curves) {
  std::string csv = "quantity,layer,variant,step,mean,std\n";
  for (const StepCurve& curve : curves) {
    for (size_t i = 0; i < curve.steps.size(); ++i) {
      const SeedMean& mean = curve.means[i];
      const std::array cells = {
          CsvCell(curve.quantity), absl::StrCat(curve.layer),
          CsvCell(curve.column),   absl::StrCat(curve.steps[i]),
          FormatExact(mean.mean),  CsvCell(mean.deviation)};
      absl::StrAppend(&csv, absl::StrJoin(cells, ","), "\n");
    }
  }
  return csv;
}

}  // namespace moeprobe
