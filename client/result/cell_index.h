#ifndef MOEPROBE_CLIENT_RESULT_CELL_INDEX_H_
#define MOEPROBE_CLIENT_RESULT_CELL_INDEX_H_

#include <map>
#include <optional>
#include <string>

#include "moeprobe/v1/result.pb.h"
#include "moeprobe/v1/result_service.pb.h"

namespace moeprobe {

// Tells which cell of a result something belongs to by its name.
class CellIndex {
 public:
  explicit CellIndex(const v1::Result& result);

  // Returns the place among the cells of the one with the longest prefix that
  // `name` starts with: of an array, a row or a part. nullopt if there is none.
  std::optional<int> Find(const std::string& name) const;

 private:
  std::map<std::string, int> by_prefix_;
};

// What stands for a setting that only some cells have in those that lack it: a
// model under its own gates.
inline constexpr const char* kOwnSetting = "own";

// Whether a setting is a name, which stays text where it looks like a number.
bool IsName(const v1::SweepSetting& setting);

// Returns the value of a setting of a cell; "" if it has no such setting.
std::string SettingOf(const v1::SweepCell& cell, const std::string& field);

}  // namespace moeprobe

#endif  // MOEPROBE_CLIENT_RESULT_CELL_INDEX_H_
