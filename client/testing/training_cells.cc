#include "client/testing/training_cells.h"

#include <cstdint>
#include <string>

#include "absl/strings/str_cat.h"
#include "moeprobe/v1/result.pb.h"
#include "moeprobe/v1/result_service.pb.h"

namespace moeprobe {
namespace {

void AddSetting(const std::string& field, const std::string& value,
                v1::SweepCell& cell) {
  v1::SweepSetting& setting = *cell.add_settings();
  setting.set_field(field);
  setting.set_value(value);
}

}  // namespace

std::string AddTrainingCell(v1::Result& result, const std::string& variant,
                            int64_t seed, int64_t step,
                            const std::string& gates) {
  v1::SweepCell& cell = *result.add_cells();
  cell.set_prefix(absl::StrCat(variant, "/seed", seed, "/step", step, "/"));
  AddSetting("variant", variant, cell);
  AddSetting("seed", absl::StrCat(seed), cell);
  AddSetting("step", absl::StrCat(step), cell);
  if (!gates.empty()) {
    cell.set_prefix(absl::StrCat(cell.prefix(), "gates-", gates, "/"));
    AddSetting("gates", gates, cell);
  }
  return cell.prefix();
}

}  // namespace moeprobe
