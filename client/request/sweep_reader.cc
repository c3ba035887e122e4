#include "client/request/sweep_reader.h"

#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "client/request/value.h"
#include "client/request/yaml_tree.h"
#include "core/base/status_macros.h"
#include "moeprobe/v1/analysis.pb.h"
#include "spec/scalar_field.h"

namespace moeprobe {
namespace {

absl::Status ReadSetting(const Value& value, v1::SweepAxis& axis) {
  const YamlNode::Kind kind = value.node().kind;
  double number = 0;
  const bool is_quoted_word = kind == YamlNode::Kind::kQuoted &&
                              !absl::SimpleAtod(value.node().text, &number);
  if (kind != YamlNode::Kind::kPlain && !is_quoted_word) {
    return value.Expected("a number without quotes, or a word");
  }
  // Values are read where they would stand; one data set takes those of data.
  v1::AnalyzeSpec scratch;
  scratch.add_data();
  const auto text = SetField(axis.field(), value.node().text, scratch);
  if (!text.ok()) return value.Error(std::string(text.status().message()));
  const std::set<std::string> seen(axis.values().begin(), axis.values().end());
  if (seen.contains(*text)) {
    return value.Error(
        absl::StrCat("found ", *text, " twice, expected it once"));
  }
  axis.add_values(*text);
  return absl::OkStatus();
}

absl::Status ReadAxis(const Value& value, const std::string& field,
                      v1::AnalyzeSpec& spec) {
  v1::SweepAxis& axis = *spec.add_sweep();
  axis.set_field(field);
  MOEPROBE_ASSIGN_OR_RETURN(const std::vector<Value> items, value.Items());
  for (const Value& item : items) {
    MOEPROBE_RETURN_IF_ERROR(ReadSetting(item, axis));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status ReadSweep(const Value& value, v1::AnalyzeSpec& spec) {
  std::vector<Field> fields;
  for (const std::string& path : SweepableFields()) {
    fields.emplace_back(path, [&spec, path](const Value& axis) {
      return ReadAxis(axis, path, spec);
    });
  }
  MOEPROBE_RETURN_IF_ERROR(value.Fields(fields));
  if (!value.node().children.empty()) return absl::OkStatus();
  return value.Error(
      "found no field, expected one such as routing.temperature: [0.5, 1, 2]");
}

}  // namespace moeprobe
