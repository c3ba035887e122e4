#include "client/result/intervention_table.h"

#include <cmath>
#include <cstddef>
#include <map>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "client/result/array_place.h"
#include "client/result/array_reader.h"
#include "client/result/summary_place.h"
#include "client/service/client.h"
#include "client/text/table.h"
#include "core/base/array_entries.h"
#include "core/base/npy.h"
#include "core/base/quoted.h"
#include "core/base/status_macros.h"
#include "moeprobe/v1/result.pb.h"

namespace moeprobe {
namespace {

constexpr const char* kDelta = "intervention_delta_nll/";
constexpr const char* kCorrelation = "intervention_rank_correlation/";
constexpr size_t kColumns = 4;  // of the correlation

// One kind of intervention in one layer; its place has the kind in front.
struct Row {
  v1::ArrayInfo delta;
  v1::ArrayInfo correlation;
};

std::map<ArrayPlace, Row> FindRows(const v1::Result& result) {
  std::map<ArrayPlace, Row> rows;
  for (const v1::ArrayInfo& info : result.arrays()) {
    auto place = PlaceOf(info.name());
    if (!place) continue;
    absl::string_view kind = place->quantity;
    const bool delta = absl::ConsumePrefix(&kind, kDelta);
    if (!delta && !absl::ConsumePrefix(&kind, kCorrelation)) continue;
    place->quantity = std::string(kind);
    (delta ? rows[*place].delta : rows[*place].correlation) = info;
  }
  std::erase_if(rows, [](const auto& entry) {
    return entry.second.delta.name().empty() ||
           entry.second.correlation.name().empty();
  });
  return rows;
}

absl::StatusOr<std::vector<double>> Numbers(const Array& array,
                                            const v1::ArrayInfo& info) {
  if (array.type != DataType::kFloat64 || array.shape.size() != 1) {
    return absl::DataLossError(
        absl::StrCat("array ", Quoted(info.name()), " is no list of float64"));
  }
  return EntriesOf<double>(array);
}

std::string Cell(double number, const char* sign) {
  if (std::isnan(number)) return kAbsent;
  return absl::StrFormat("%s%.4f", number > 0 ? sign : "", number);
}

double Mean(const std::vector<double>& numbers) {
  return std::accumulate(numbers.begin(), numbers.end(), 0.0) /
         static_cast<double>(numbers.size());
}

absl::StatusOr<std::vector<std::string>> Cells(const ArrayPlace& place,
                                               const std::vector<double>& delta,
                                               const std::vector<double>& rho) {
  if (rho.size() != kColumns || delta.empty()) {
    return absl::DataLossError(absl::StrCat(
        "interventions of layer ", place.layer, ": found ", delta.size(),
        " pairs and ", rho.size(), " correlations, expected some and 4"));
  }
  std::vector<std::string> cells = {
      absl::StrCat(place.layer), PartName(place.prefix), place.quantity,
      absl::StrCat(delta.size()), Cell(Mean(delta), "+")};
  for (const double correlation : rho) cells.push_back(Cell(correlation, ""));
  return cells;
}

}  // namespace

absl::StatusOr<std::string> InterventionTable(Client& client,
                                              const v1::Result& result,
                                              int width) {
  const std::map<ArrayPlace, Row> found = FindRows(result);
  if (found.empty()) return "";
  std::vector<v1::ArrayInfo> infos;
  for (const auto& [place, row] : found) {
    infos.push_back(row.delta);
    infos.push_back(row.correlation);
  }
  MOEPROBE_ASSIGN_OR_RETURN(const std::vector<Array> arrays,
                            ReadArrays(client, result.job().name(), infos));
  std::vector<std::vector<std::string>> rows;
  size_t next = 0;
  for (const auto& [place, row] : found) {
    MOEPROBE_ASSIGN_OR_RETURN(const std::vector<double> delta,
                              Numbers(arrays[next], row.delta));
    MOEPROBE_ASSIGN_OR_RETURN(const std::vector<double> rho,
                              Numbers(arrays[next + 1], row.correlation));
    next += 2;
    MOEPROBE_ASSIGN_OR_RETURN(std::vector<std::string> cells,
                              Cells(place, delta, rho));
    rows.push_back(std::move(cells));
  }
  constexpr const char* kGroup = "rank correlation with";
  return absl::StrCat(
      FormatTable(
          {RightColumn("layer"), LeftColumn("part"), LeftColumn("experts are"),
           RightColumn("pairs"), RightColumn("added loss"),
           RightColumn("alignment", kGroup), RightColumn("outputs", kGroup),
           RightColumn("Grassmann", kGroup), RightColumn("weights", kGroup)},
          rows, width),
      "\nAdded loss: mean over pairs of what an edit adds to the next-token "
      "loss, in nats.\nA correlation near 0 says that closeness does not tell "
      "which experts can be merged.\n");
}

}  // namespace moeprobe
