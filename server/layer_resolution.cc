#include "server/layer_resolution.h"

#include <cstdint>
#include <set>
#include <string>

#include "absl/strings/str_cat.h"
#include "moeprobe/v1/analysis.pb.h"
#include "server/violations.h"

namespace moeprobe {
namespace {

v1::LayerSelection AllLayers(int64_t layer_count) {
  v1::LayerSelection result;
  for (int64_t layer = 0; layer < layer_count; ++layer) {
    result.add_layers(static_cast<int32_t>(layer));
  }
  return result;
}

v1::LayerSelection EarlyMiddleLate(int64_t layer_count,
                                   Violations& violations) {
  v1::LayerSelection result;
  if (layer_count < 4) {
    violations.Add("layers", absl::StrCat("early-middle-late needs 4 layers, "
                                          "the model has ",
                                          layer_count));
    return result;
  }
  for (const int64_t layer :
       std::set<int64_t>{3, layer_count / 2, layer_count - 3}) {
    result.add_layers(static_cast<int32_t>(layer));
  }
  return result;
}

void CheckList(const v1::LayerSelection& selection, int64_t layer_count,
               Violations& violations) {
  for (int i = 0; i < selection.layers_size(); ++i) {
    const std::string field = absl::StrCat("layers[", i, "]");
    const int32_t layer = selection.layers(i);
    if (layer < 0 || layer >= layer_count) {
      violations.Add(field,
                     absl::StrCat(layer, " is no layer, the model has ",
                                  layer_count, ": 0 to ", layer_count - 1));
    } else if (i > 0 && layer == selection.layers(i - 1)) {
      violations.Add(field, absl::StrCat(layer, " stands there twice"));
    } else if (i > 0 && layer < selection.layers(i - 1)) {
      violations.Add(
          field, absl::StrCat(layer, " comes after ", selection.layers(i - 1),
                              ", expected ascending layers"));
    }
  }
}

}  // namespace

v1::LayerSelection ResolveLayers(const v1::LayerSelection& selection,
                                 int64_t layer_count, Violations& violations) {
  const auto preset = selection.preset();
  if (selection.layers_size() > 0) {
    if (preset != v1::LayerSelection::PRESET_UNSPECIFIED) {
      violations.Add("layers", "a preset and a list, expected one of the two");
    }
    CheckList(selection, layer_count, violations);
    return selection;
  }
  switch (preset) {
    case v1::LayerSelection::PRESET_UNSPECIFIED:
    case v1::LayerSelection::PRESET_ALL:
      return AllLayers(layer_count);
    case v1::LayerSelection::PRESET_EARLY_MIDDLE_LATE:
      return EarlyMiddleLate(layer_count, violations);
    default:
      violations.Add("layers", absl::StrCat("there is no preset ", preset,
                                            ", expected all or "
                                            "early-middle-late"));
      return selection;
  }
}

}  // namespace moeprobe
