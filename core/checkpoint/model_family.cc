#include "core/checkpoint/model_family.h"

#include <algorithm>
#include <array>
#include <span>
#include <string_view>

#include "core/checkpoint/model_config.h"

namespace moeprobe {
namespace {

constexpr std::array kFamilies = std::to_array<ModelFamily>({
    {.model_type = "llama",
     .biases = BiasRule::kAllByConfig,
     .default_rope_theta = 10000.0},
    {.model_type = "mistral",
     .windows = WindowRule::kEveryLayerStated,
     .must_state_key_value_heads = true},
    {.model_type = "mixtral",
     .windows = WindowRule::kEveryLayer,
     .must_state_key_value_heads = true,
     .moe = MoeRules{.expert_width_key = "intermediate_size",
                     .always_renormalizes = true,
                     .block = "block_sparse_moe.",
                     .expert = {.gate = "w1", .up = "w3", .down = "w2"}}},
    {.model_type = "moeprobe",
     .expert_kind = ExpertKind::kGeluMlp,
     .has_layer_norms = true,
     .has_learned_positions = true,
     .biases = BiasRule::kAll,
     .mlp = {.gate = "fc1", .down = "fc2"},
     .moe = MoeRules{.expert_width_key = "intermediate_size",
                     .may_be_absent = true,
                     .has_router_bias = true,
                     .has_temperature = true,
                     .block = "block_sparse_moe.",
                     .other_block = "block_sparse_moe.",
                     .expert = {.gate = "fc1", .down = "fc2"}}},
    {.model_type = "moeprobe_gated_mlp",
     .is_mlp = true,
     .embedding = "model.examples.weight",
     .head = "model.readout.weight",
     .moe = MoeRules{.expert_width_key = "intermediate_size",
                     .may_be_absent = true,
                     .has_temperature = true,
                     .block = "block_sparse_moe.",
                     .other_block = "block_sparse_moe.",
                     .expert = {.gate = "w1", .up = "w3", .down = "w2"}}},
    {.model_type = "moeprobe_mlp",
     .is_mlp = true,
     .expert_kind = ExpertKind::kGeluMlp,
     .embedding = "model.examples.weight",
     .head = "model.readout.weight",
     .mlp = {.gate = "fc1", .down = "fc2"},
     .moe = MoeRules{.expert_width_key = "intermediate_size",
                     .may_be_absent = true,
                     .has_router_bias = true,
                     .has_temperature = true,
                     .block = "block_sparse_moe.",
                     .other_block = "block_sparse_moe.",
                     .expert = {.gate = "fc1", .down = "fc2"}}},
    {.model_type = "olmoe",
     .biases = BiasRule::kAllByConfig,
     .query_key_norm = QueryKeyNorm::kWholeProjection,
     .has_clip = true,
     .moe = MoeRules{.expert_width_key = "intermediate_size"}},
    {.model_type = "qwen2",
     .biases = BiasRule::kQueryKeyValue,
     .windows = WindowRule::kUpperLayersIfUsed,
     .must_state_key_value_heads = true},
    {.model_type = "qwen2_moe",
     .biases = BiasRule::kQueryKeyValueByConfig,
     .windows = WindowRule::kEvenLayersIfUsed,
     .must_state_key_value_heads = true,
     .moe = MoeRules{.expert_width_key = "moe_intermediate_size",
                     .may_have_dense_layers = true,
                     .has_shared_expert = true}},
    {.model_type = "qwen3",
     .biases = BiasRule::kAllByConfig,
     .windows = WindowRule::kUpperLayersIfUsed,
     .query_key_norm = QueryKeyNorm::kPerHead,
     .must_state_head_width = true,
     .must_state_key_value_heads = true},
    {.model_type = "qwen3_moe",
     .biases = BiasRule::kAllByConfig,
     .windows = WindowRule::kEveryLayerIfUsed,
     .query_key_norm = QueryKeyNorm::kPerHead,
     .must_state_key_value_heads = true,
     .moe = MoeRules{.expert_width_key = "moe_intermediate_size",
                     .may_have_dense_layers = true}},
});

}  // namespace

std::span<const ModelFamily> ModelFamilies() { return kFamilies; }

const ModelFamily* FindModelFamily(std::string_view model_type) {
  const auto* found =
      std::ranges::find(kFamilies, model_type, &ModelFamily::model_type);
  return found == kFamilies.end() ? nullptr : found;
}

}  // namespace moeprobe
