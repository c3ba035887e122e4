#include "core/checkpoint/layer_schedule.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/base/strict_json.h"
#include "core/checkpoint/config_fields.h"
#include "core/checkpoint/config_limits.h"
#include "core/checkpoint/model_config.h"
#include "core/checkpoint/model_family.h"

namespace moeprobe {
namespace {

// Marks the MoE layers: every decoder_sparse_step-th, but for mlp_only_layers.
absl::Status MarkMoeLayers(const ConfigFields& fields,
                           std::vector<LayerConfig>& layers) {
  const auto count = static_cast<int64_t>(layers.size());
  MOEPROBE_ASSIGN_OR_RETURN(
      const std::optional<int64_t> step,
      fields.OptionalInteger("decoder_sparse_step", 1, kMaxLayers));
  MOEPROBE_ASSIGN_OR_RETURN(
      const std::vector<int64_t> dense,
      fields.IntegersOrNone("mlp_only_layers", 0, count - 1));
  for (int64_t i = 0; i < count; ++i) {
    layers[static_cast<size_t>(i)].is_moe = (i + 1) % step.value_or(1) == 0;
  }
  for (const int64_t i : dense) layers[static_cast<size_t>(i)].is_moe = false;
  return absl::OkStatus();
}

absl::Status SetDenseWidths(const ConfigFields& fields,
                            std::vector<LayerConfig>& layers) {
  if (std::ranges::all_of(layers, &LayerConfig::is_moe)) {
    return absl::OkStatus();
  }
  MOEPROBE_ASSIGN_OR_RETURN(const int64_t width,
                            fields.Integer("intermediate_size", 1, kMaxWidth));
  for (LayerConfig& layer : layers) {
    if (!layer.is_moe) layer.dense_width = width;
  }
  return absl::OkStatus();
}

// The layers that slide according to layer_types, which must be there.
absl::StatusOr<std::vector<bool>> ParseLayerTypes(const ConfigFields& fields,
                                                  size_t layer_count) {
  const JsonArray* types = fields.Find("layer_types")->array();
  if (types == nullptr || types->size() != layer_count) {
    return fields.Error("layer_types",
                        absl::StrCat("a list of ", layer_count,
                                     ", one for each of num_hidden_layers"));
  }
  std::vector<bool> slides;
  for (const JsonValue& type : *types) {
    const std::string* name = type.string();
    slides.push_back(name != nullptr && *name == "sliding_attention");
    if (slides.back() || (name != nullptr && *name == "full_attention")) {
      continue;
    }
    return absl::UnimplementedError(
        absl::StrCat("key \"layer_types\" holds ", type.Description(),
                     ", expected full_attention or sliding_attention"));
  }
  return slides;
}

// The layers that slide by a rule which asks use_sliding_window first.
absl::StatusOr<std::vector<bool>> SlidingLayersIfUsed(
    const ConfigFields& fields, WindowRule rule, bool has_window,
    size_t layer_count) {
  if (rule != WindowRule::kEveryLayerIfUsed &&
      fields.Find("layer_types") != nullptr) {
    return ParseLayerTypes(fields, layer_count);
  }
  if (!has_window) return std::vector<bool>(layer_count, false);
  std::vector<bool> slides(layer_count, true);
  if (rule == WindowRule::kEveryLayerIfUsed) return slides;
  MOEPROBE_ASSIGN_OR_RETURN(const int64_t boundary,
                            fields.Integer("max_window_layers", 0, kMaxLayers));
  for (size_t i = 0; i < layer_count; ++i) {
    const bool is_upper = std::cmp_greater_equal(i, boundary);
    slides[i] = rule == WindowRule::kUpperLayersIfUsed
                    ? is_upper
                    : i % 2 == 0 && !is_upper;
  }
  return slides;
}

// sliding_window; nullopt where it is absent, null or 0, or not used.
absl::StatusOr<std::optional<int64_t>> ParseWindow(const ConfigFields& fields,
                                                   WindowRule rule) {
  if (rule == WindowRule::kEveryLayerStated &&
      !fields.States("sliding_window")) {
    return fields.Error("sliding_window", "a number of positions, or null");
  }
  if (rule != WindowRule::kEveryLayer &&
      rule != WindowRule::kEveryLayerStated) {
    MOEPROBE_ASSIGN_OR_RETURN(const bool is_used,
                              fields.BooleanOr("use_sliding_window", false));
    if (!is_used) return std::nullopt;
  }
  MOEPROBE_ASSIGN_OR_RETURN(
      const std::optional<int64_t> window,
      fields.OptionalInteger("sliding_window", 0, kMaxPositions));
  return window == 0 ? std::nullopt : window;
}

absl::Status SetWindows(const ConfigFields& fields, WindowRule rule,
                        std::vector<LayerConfig>& layers) {
  if (rule == WindowRule::kNone) return absl::OkStatus();
  MOEPROBE_ASSIGN_OR_RETURN(const std::optional<int64_t> window,
                            ParseWindow(fields, rule));
  std::vector<bool> slides(layers.size(), window.has_value());
  if (rule != WindowRule::kEveryLayer &&
      rule != WindowRule::kEveryLayerStated) {
    MOEPROBE_ASSIGN_OR_RETURN(
        slides,
        SlidingLayersIfUsed(fields, rule, window.has_value(), layers.size()));
  }
  for (size_t i = 0; i < layers.size(); ++i) {
    if (!slides[i]) continue;
    if (!window) {
      return absl::InvalidArgumentError(absl::StrCat(
          "key \"layer_types\" lets layer ", i,
          " slide, expected use_sliding_window and a sliding_window for it"));
    }
    layers[i].sliding_window = window;
  }
  return absl::OkStatus();
}

}  // namespace

const MoeRules* FindMoeRules(const ConfigFields& fields,
                             const ModelFamily& family) {
  if (!family.moe) return nullptr;
  const bool are_stated = fields.Find("num_experts") != nullptr ||
                          fields.Find("num_local_experts") != nullptr;
  return are_stated || !family.moe->may_be_absent ? &*family.moe : nullptr;
}

absl::StatusOr<std::vector<LayerConfig>> ParseLayers(
    const ConfigFields& fields, const ModelFamily& family) {
  MOEPROBE_ASSIGN_OR_RETURN(
      const int64_t count,
      fields.Integer("num_hidden_layers", 1, family.is_mlp ? 1 : kMaxLayers));
  LayerConfig layer;
  layer.is_moe = FindMoeRules(fields, family) != nullptr;
  std::vector<LayerConfig> layers(static_cast<size_t>(count), layer);
  if (family.moe && family.moe->may_have_dense_layers) {
    MOEPROBE_RETURN_IF_ERROR(MarkMoeLayers(fields, layers));
  }
  MOEPROBE_RETURN_IF_ERROR(SetDenseWidths(fields, layers));
  MOEPROBE_RETURN_IF_ERROR(SetWindows(fields, family.windows, layers));
  return layers;
}

}  // namespace moeprobe
