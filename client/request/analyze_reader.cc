#include "client/request/analyze_reader.h"

#include <cstdint>
#include <limits>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "client/request/data_source.h"
#include "client/request/message_fields.h"
#include "client/request/nulls_reader.h"
#include "client/request/probes_reader.h"
#include "client/request/routing_reader.h"
#include "client/request/sweep_reader.h"
#include "client/request/value.h"
#include "client/request/yaml_tree.h"
#include "core/base/status_macros.h"
#include "moeprobe/v1/analysis.pb.h"

namespace moeprobe {
namespace {

constexpr int64_t kMostLayers = std::numeric_limits<int32_t>::max();

absl::Status ReadDataSet(const Value& value, v1::DataSpec& data) {
  MOEPROBE_RETURN_IF_ERROR(
      value.Fields({SourceField("text", data), SourceField("ids", data),
                    TokenCountField("tokens", data),
                    IntegerField("sequence_length", data, 1),
                    IntegerField("skip_first", data, 0)}));
  return CheckOneSource(value, {"text", "ids"});
}

absl::Status ReadData(const Value& value, v1::AnalyzeSpec& spec) {
  if (value.node().kind != YamlNode::Kind::kList) {
    if (value.node().kind != YamlNode::Kind::kMapping) {
      return value.Expected("a mapping with text or ids, or a list of them");
    }
    return ReadDataSet(value, *spec.add_data());
  }
  MOEPROBE_ASSIGN_OR_RETURN(const std::vector<Value> items, value.Items());
  for (const Value& item : items) {
    MOEPROBE_RETURN_IF_ERROR(ReadDataSet(item, *spec.add_data()));
  }
  return absl::OkStatus();
}

absl::Status ReadLayerList(const Value& value, v1::LayerSelection& selection) {
  MOEPROBE_ASSIGN_OR_RETURN(const std::vector<Value> items, value.Items());
  int64_t last = -1;
  for (const Value& item : items) {
    MOEPROBE_ASSIGN_OR_RETURN(const int64_t layer,
                              item.Integer(0, kMostLayers));
    if (layer <= last) {
      return item.Error(absl::StrCat("found ", layer, " after ", last,
                                     ", expected ascending layers without "
                                     "duplicates"));
    }
    last = layer;
    selection.add_layers(static_cast<int32_t>(layer));
  }
  return absl::OkStatus();
}

absl::Status ReadLayers(const Value& value, v1::LayerSelection& selection) {
  if (value.Is("all")) {
    selection.set_preset(v1::LayerSelection::PRESET_ALL);
    return absl::OkStatus();
  }
  if (value.Is("early-middle-late")) {
    selection.set_preset(v1::LayerSelection::PRESET_EARLY_MIDDLE_LATE);
    return absl::OkStatus();
  }
  if (value.node().kind != YamlNode::Kind::kList) {
    return value.Expected(
        "all, early-middle-late or a list such as [3, 16, 29]");
  }
  return ReadLayerList(value, selection);
}

}  // namespace

absl::Status ReadAnalyzeSpec(const Value& root, v1::AnalyzeSpec& spec) {
  MOEPROBE_RETURN_IF_ERROR(root.Fields(
      {FieldRead("kind"),
       FieldRead("visibility"),
       FieldRead("shared_with"),
       FieldRead("priority"),
       TextField("name", spec, kLongestLabel),
       TextField("model", spec),
       TextField("baseline", spec),
       {"data", [&](const Value& value) { return ReadData(value, spec); }},
       PartField("layers", spec, ReadLayers),
       PartField("probes", spec, ReadProbes),
       ChoiceField("precision", spec),
       ChoiceField("device", spec),
       IntegerField("seed", spec, 0),
       BooleanField("nll", spec),
       PartField("routing", spec, ReadRouting),
       PartField("nulls", spec, ReadNulls),
       {"sweep", [&](const Value& value) { return ReadSweep(value, spec); }}}));
  return root.CheckHas({"model", "data"});
}

}  // namespace moeprobe
