#ifndef MOEPROBE_CORE_PLAN_LAYER_SIZES_H_
#define MOEPROBE_CORE_PLAN_LAYER_SIZES_H_

#include <cstdint>

#include "core/checkpoint/model_config.h"

namespace moeprobe {

// Matrices of an MLP: W_gate, W_up and W_down, or W_1 and W_2.
inline int64_t MatrixCount(const ModelConfig& model) {
  return model.expert_kind == ExpertKind::kGatedMlp ? 3 : 2;
}

// Sizes of a layer in the letters of the definitions, as numbers that do not
// overflow. A dense layer is one expert that every token goes to.
struct LayerSizes {
  double tokens;        // T
  double width;         // d
  double experts;       // E
  double active;        // k
  double expert_width;  // f
  double matrices;      // of an expert
};

inline LayerSizes SizesOf(const ModelConfig& model, const LayerConfig& layer,
                          int64_t tokens) {
  LayerSizes sizes{.tokens = static_cast<double>(tokens),
                   .width = static_cast<double>(model.width),
                   .experts = 1,
                   .active = 1,
                   .expert_width = static_cast<double>(layer.dense_width),
                   .matrices = static_cast<double>(MatrixCount(model))};
  if (layer.is_moe) {
    const ExpertConfig& experts = model.experts;
    sizes.experts = static_cast<double>(experts.count);
    sizes.active = static_cast<double>(experts.per_token);
    sizes.expert_width = static_cast<double>(experts.width);
  }
  return sizes;
}

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_PLAN_LAYER_SIZES_H_
