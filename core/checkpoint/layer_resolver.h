#ifndef MOEPROBE_CORE_CHECKPOINT_LAYER_RESOLVER_H_
#define MOEPROBE_CORE_CHECKPOINT_LAYER_RESOLVER_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/checkpoint/checkpoint.h"
#include "core/checkpoint/model_config.h"
#include "core/checkpoint/model_family.h"
#include "core/checkpoint/tensor_view.h"
#include "core/checkpoint/weight_set.h"

namespace moeprobe {

// Finds the tensors of decoder layers by the names their family gives them.
class LayerResolver {
 public:
  // All must outlive this.
  LayerResolver(const ModelConfig& config, const ModelFamily& family,
                WeightSet& weights)
      : config_(config), family_(family), weights_(weights) {}

  // Returns the tensors of layer `index`, each with the shape that the
  // configuration implies. Errors: those of WeightSet::Use.
  absl::StatusOr<LayerTensors> Resolve(int64_t index);

  // Returns the norm called `name`. Errors: those of WeightSet::Use.
  absl::StatusOr<NormTensors> Norm(const std::string& name);

 private:
  absl::StatusOr<AttentionTensors> Attention(const std::string& prefix);
  absl::Status AttentionBiases(const std::string& prefix,
                               AttentionTensors& tensors);
  absl::Status QueryKeyNorms(const std::string& prefix,
                             AttentionTensors& tensors);
  absl::StatusOr<MlpTensors> Mlp(const std::string& prefix,
                                 const MlpNames& names, int64_t width);
  absl::Status Moe(const std::string& layer, const MoeRules& rules,
                   LayerTensors& tensors);
  absl::Status SharedExpert(const std::string& block, LayerTensors& tensors);
  absl::StatusOr<std::vector<MlpTensors>> Experts(const std::string& block,
                                                  const MoeRules& rules);
  absl::StatusOr<std::vector<MlpTensors>> FusedExperts(
      const std::string& block);

  const ModelConfig& config_;
  const ModelFamily& family_;
  WeightSet& weights_;
};

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_CHECKPOINT_LAYER_RESOLVER_H_
