#include "client/result/data_rows.h"

#include <cmath>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "client/result/summary_place.h"
#include "core/base/equal_depth.h"
#include "moeprobe/v1/result.pb.h"
#include "moeprobe/v1/result_service.pb.h"

namespace moeprobe {
namespace {

constexpr const char* kBaseline = "baseline/";

int LayerCount(const v1::Result& result, const std::string& prefix) {
  for (const v1::Provenance& provenance : result.provenance()) {
    if (provenance.prefix() == prefix) return provenance.layer_count();
  }
  return 0;
}

}  // namespace

DataRows::DataRows(const v1::Result& result, std::string prefix)
    : result_(result),
      prefix_(std::move(prefix)),
      layer_count_(LayerCount(result, prefix_)),
      baseline_layer_count_(LayerCount(result, prefix_ + kBaseline)) {}

bool DataRows::DepthsDiffer() const {
  return layer_count_ > 0 && baseline_layer_count_ > 0 &&
         layer_count_ != baseline_layer_count_;
}

int DataRows::BaselineLayer(int layer) const {
  return DepthsDiffer() ? static_cast<int>(LayerAtEqualDepth(
                              layer, layer_count_, baseline_layer_count_))
                        : layer;
}

std::string DataRows::LayerText(int layer) const {
  if (!DepthsDiffer()) return absl::StrCat(layer);
  return absl::StrCat(layer, " (", BaselineLayer(layer), ")");
}

std::vector<DataRow> DataRows::Find(const std::string& part,
                                    const std::string& quantity) const {
  std::map<int, const v1::SummaryRow*> by_own_layer;
  std::set<int> layers;  // of the model
  for (const v1::SummaryRow& row : result_.summary()) {
    if (row.layer() < 0) continue;
    const std::string prefix = PrefixOf(row);
    if (prefix == prefix_) layers.insert(row.layer());
    const bool found = prefix == prefix_ + part && row.quantity() == quantity &&
                       row.count() > 0 && std::isfinite(row.mean());
    if (found) by_own_layer[row.layer()] = &row;
  }
  std::vector<DataRow> rows;
  for (const int layer : layers) {
    const auto found =
        by_own_layer.find(part.empty() ? layer : BaselineLayer(layer));
    if (found == by_own_layer.end()) continue;
    rows.push_back({.layer = layer, .row = found->second});
  }
  return rows;
}

std::string TablesByDataSet(
    const v1::Result& result,
    absl::FunctionRef<std::string(const std::string& prefix)> table) {
  std::set<std::string> prefixes;
  for (const v1::SummaryRow& row : result.summary()) {
    prefixes.insert(std::string(absl::StripSuffix(PrefixOf(row), kBaseline)));
  }
  std::string text;
  for (const std::string& prefix : prefixes) {
    const std::string of_data_set = table(prefix);
    if (of_data_set.empty()) continue;
    if (!text.empty()) text += '\n';
    if (!prefix.empty()) {
      absl::StrAppend(&text, absl::StripSuffix(prefix, "/"), "\n");
    }
    text += of_data_set;
  }
  return text;
}

}  // namespace moeprobe
