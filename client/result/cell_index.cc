#include "client/result/cell_index.h"

#include <cstddef>
#include <optional>
#include <string>

#include "moeprobe/v1/result.pb.h"
#include "moeprobe/v1/result_service.pb.h"

namespace moeprobe {

CellIndex::CellIndex(const v1::Result& result) {
  for (int i = 0; i < result.cells_size(); ++i) {
    by_prefix_.emplace(result.cells(i).prefix(), i);
  }
}

std::optional<int> CellIndex::Find(const std::string& name) const {
  for (size_t end = name.size(); end > 0; --end) {
    if (name[end - 1] != '/') continue;
    const auto found = by_prefix_.find(name.substr(0, end));
    if (found != by_prefix_.end()) return found->second;
  }
  return std::nullopt;
}

bool IsName(const v1::SweepSetting& setting) {
  return setting.field() == "variant" || setting.field() == "gates";
}

std::string SettingOf(const v1::SweepCell& cell, const std::string& field) {
  for (const v1::SweepSetting& setting : cell.settings()) {
    if (setting.field() == field) return setting.value();
  }
  return "";
}

}  // namespace moeprobe
