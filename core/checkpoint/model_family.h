#ifndef MOEPROBE_CORE_CHECKPOINT_MODEL_FAMILY_H_
#define MOEPROBE_CORE_CHECKPOINT_MODEL_FAMILY_H_

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "core/checkpoint/model_config.h"

namespace moeprobe {

// Which attention projections have biases.
enum class BiasRule : std::uint8_t {
  kNone,
  kQueryKeyValue,          // always
  kQueryKeyValueByConfig,  // qkv_bias; absent means true
  kAllByConfig,            // attention_bias; absent means false
  kAll,                    // always
};

// Which layers see only a window. Rules but kEveryLayer* ask use_sliding_window
// first, which is false where it is absent.
enum class WindowRule : std::uint8_t {
  kNone,
  kEveryLayer,        // where sliding_window is a number
  kEveryLayerStated,  // the same, but the key must be there
  kEveryLayerIfUsed,
  kUpperLayersIfUsed,  // layer_types, else from max_window_layers on
  kEvenLayersIfUsed,   // layer_types, else 0, 2, ... below max_window_layers
};

// Tensor names of an MLP's weights. Where there are two layers, `gate` is the
// first and `up` has no meaning.
struct MlpNames {
  std::string_view gate = "gate_proj";
  std::string_view up = "up_proj";
  std::string_view down = "down_proj";
};

// The mixture-of-experts side of a family.
struct MoeRules {
  std::string_view expert_width_key;
  bool may_be_absent = false;        // a model that states no experts is dense
  bool always_renormalizes = false;  // else norm_topk_prob, which must be there
  bool may_have_dense_layers = false;  // decoder_sparse_step, mlp_only_layers
  bool has_shared_expert = false;
  bool has_router_bias = false;
  bool has_temperature = false;  // router_temperature; absent means 1
  // Tensor names: the block after "model.layers.N.", as published checkpoints
  // have it and, where they differ, as transformers holds it in memory; the
  // projections of an expert.
  std::string_view block = "mlp.";
  std::string_view other_block = "mlp.";
  MlpNames expert = {};
};

// How a family of models reads its config.json and names its tensors: what
// transformers 5.23 does in models/FAMILY, but for moeprobe's own
// (docs/decisions/0021, 0027).
struct ModelFamily {
  std::string_view model_type;
  // No decoder: see ModelConfig. Its config.json has num_examples and
  // num_outputs in place of vocab_size, and nothing of attention and norms.
  bool is_mlp = false;
  // silu in gated MLPs, gelu in those of two layers.
  ExpertKind expert_kind = ExpertKind::kGatedMlp;
  // Layer norms (layer_norm_eps) with biases in place of RMS norms
  // (rms_norm_eps).
  bool has_layer_norms = false;
  // max_position_embeddings learned positions in place of rotary ones.
  bool has_learned_positions = false;
  BiasRule biases = BiasRule::kNone;
  WindowRule windows = WindowRule::kNone;
  QueryKeyNorm query_key_norm = QueryKeyNorm::kNone;
  // Where head_dim is absent it is hidden_size / num_attention_heads, unless
  // the family's class has a default of its own: then it must be there.
  bool must_state_head_width = false;
  // Where num_key_value_heads is absent it is num_attention_heads; likewise.
  bool must_state_key_value_heads = false;
  bool has_clip = false;  // clip_qkv
  // Published configurations of this family leave rope_theta out.
  std::optional<double> default_rope_theta = std::nullopt;
  std::string_view embedding = "model.embed_tokens.weight";
  std::string_view head = "lm_head.weight";
  MlpNames mlp = {};  // of dense MLPs and shared experts
  std::optional<MoeRules> moe = std::nullopt;
};

// All families, sorted by model_type.
std::span<const ModelFamily> ModelFamilies();

// Returns the family; nullptr if it is not supported.
const ModelFamily* FindModelFamily(std::string_view model_type);

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_CHECKPOINT_MODEL_FAMILY_H_
