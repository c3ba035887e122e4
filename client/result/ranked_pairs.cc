#include "client/result/ranked_pairs.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
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

constexpr const char* kPairs = "redundancy_pairs";
constexpr const char* kScores = "redundancy_scores";
constexpr size_t kColumns = 4;  // of the scores

constexpr const char* kCaution =
    "Pairs of experts, the closest in function first (mean rank of alignment "
    "and\noutputs). Similarity is not importance: nothing here says what the "
    "model would\nlose with an expert, and weights that overlap are no proof "
    "of equal functions.\n";

struct Report {
  v1::ArrayInfo pairs;
  v1::ArrayInfo scores;
};

std::map<ArrayPlace, Report> FindReports(const v1::Result& result) {
  std::map<ArrayPlace, Report> reports;
  for (const v1::ArrayInfo& info : result.arrays()) {
    auto place = PlaceOf(info.name());
    if (!place) continue;
    const bool pairs = place->quantity == kPairs;
    if (!pairs && place->quantity != kScores) continue;
    place->quantity.clear();
    (pairs ? reports[*place].pairs : reports[*place].scores) = info;
  }
  std::erase_if(reports, [](const auto& entry) {
    return entry.second.pairs.name().empty() ||
           entry.second.scores.name().empty();
  });
  return reports;
}

absl::StatusOr<std::vector<RankedPair>> Pairs(const Array& pairs,
                                              const Array& scores,
                                              const std::string& name) {
  const bool matrices = pairs.shape.size() == 2 && scores.shape.size() == 2;
  if (!matrices || pairs.type != DataType::kInt64 ||
      scores.type != DataType::kFloat64 || pairs.shape[1] != 2 ||
      std::cmp_not_equal(scores.shape[1], kColumns) ||
      pairs.shape[0] != scores.shape[0]) {
    return absl::DataLossError(absl::StrCat(
        "array ", Quoted(name), " and its scores are not [P, 2] and [P, 4]"));
  }
  const auto experts = EntriesOf<int64_t>(pairs);
  const auto numbers = EntriesOf<double>(scores);
  std::vector<RankedPair> ranked(static_cast<size_t>(pairs.shape[0]));
  for (size_t i = 0; i < ranked.size(); ++i) {
    ranked[i] = {.first = experts[2 * i],
                 .second = experts[2 * i + 1],
                 .alignment = numbers[kColumns * i],
                 .output_similarity = numbers[kColumns * i + 1],
                 .distance = numbers[kColumns * i + 2],
                 .weight_overlap = numbers[kColumns * i + 3]};
  }
  return ranked;
}

std::vector<RankedPair> Leading(const LayerPairs& layer, int64_t top) {
  const auto count = std::min(top, static_cast<int64_t>(layer.pairs.size()));
  return {layer.pairs.begin(), layer.pairs.begin() + count};
}

std::string Cell(double number) {
  return std::isnan(number) ? kAbsent : absl::StrFormat("%.3f", number);
}

}  // namespace

absl::StatusOr<std::vector<LayerPairs>> ReadRankedPairs(
    Client& client, const v1::Result& result) {
  const std::map<ArrayPlace, Report> reports = FindReports(result);
  std::vector<v1::ArrayInfo> infos;
  for (const auto& [place, report] : reports) {
    infos.push_back(report.pairs);
    infos.push_back(report.scores);
  }
  MOEPROBE_ASSIGN_OR_RETURN(const std::vector<Array> arrays,
                            ReadArrays(client, result.job().name(), infos));
  std::vector<LayerPairs> layers;
  size_t next = 0;
  for (const auto& [place, report] : reports) {
    LayerPairs layer{.prefix = place.prefix, .layer = place.layer};
    MOEPROBE_ASSIGN_OR_RETURN(layer.pairs, Pairs(arrays[next], arrays[next + 1],
                                                 report.pairs.name()));
    next += 2;
    if (!layer.pairs.empty()) layers.push_back(std::move(layer));
  }
  return layers;
}

std::string RankedPairsText(const std::vector<LayerPairs>& layers, int64_t top,
                            int width) {
  if (layers.empty()) return "";
  std::vector<std::vector<std::string>> rows;
  bool several = false;  // parts
  for (const LayerPairs& layer : layers) {
    several = several || layer.prefix != layers[0].prefix;
    for (const RankedPair& pair : Leading(layer, top)) {
      rows.push_back({PartName(layer.prefix), absl::StrCat(layer.layer),
                      absl::StrCat(pair.first, ", ", pair.second),
                      Cell(pair.alignment), Cell(pair.output_similarity),
                      Cell(pair.distance), Cell(pair.weight_overlap)});
    }
  }
  std::vector<Column> columns = {
      LeftColumn("part"),     RightColumn("layer"),
      RightColumn("experts"), RightColumn("alignment"),
      RightColumn("outputs"), RightColumn("Grassmann"),
      RightColumn("weights")};
  if (!several) {
    columns.erase(columns.begin());
    for (auto& row : rows) row.erase(row.begin());
  }
  return absl::StrCat(FormatTable(columns, rows, width), "\n", kCaution);
}

nlohmann::ordered_json RankedPairsJson(const std::vector<LayerPairs>& layers,
                                       int64_t top) {
  auto list = nlohmann::ordered_json::array();
  for (const LayerPairs& layer : layers) {
    auto pairs = nlohmann::ordered_json::array();
    for (const RankedPair& pair : Leading(layer, top)) {
      pairs.push_back({{"experts", {pair.first, pair.second}},
                       {"alignment", pair.alignment},
                       {"output_similarity", pair.output_similarity},
                       {"distance", pair.distance},
                       {"weight_overlap", pair.weight_overlap}});
    }
    list.push_back({{"part", PartName(layer.prefix)},
                    {"layer", layer.layer},
                    {"pairs", std::move(pairs)}});
  }
  return list;
}

}  // namespace moeprobe
