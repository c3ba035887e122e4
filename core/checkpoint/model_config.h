#ifndef MOEPROBE_CORE_CHECKPOINT_MODEL_CONFIG_H_
#define MOEPROBE_CORE_CHECKPOINT_MODEL_CONFIG_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace moeprobe {

// Where a family normalises queries and keys.
enum class QueryKeyNorm : std::uint8_t {
  kNone,
  kPerHead,          // over head_width (qwen3, qwen3_moe)
  kWholeProjection,  // over heads * head_width (olmoe)
};

// What an MLP computes, be it an expert or a dense one.
enum class ExpertKind : std::uint8_t {
  kGeluMlp,   // f(x) = W_2 gelu(W_1 x + b_1) + b_2, gelu(z) = z Phi(z)
  kGatedMlp,  // f(x) = W_down [silu(W_gate x) * (W_up x)]
};

// What weights are before training. Factors of norms are 1 and their biases 0.
enum class InitialWeights : std::uint8_t {
  kNormal,  // matrices and embeddings normal(0, initializer_range); biases 0
  // PyTorch's own: embeddings normal(0, 1); weights and biases of a linear map
  // of n numbers uniform in (-1 / sqrt(n), 1 / sqrt(n)).
  kTorch,
};

// Attention of a decoder layer.
struct AttentionConfig {
  int64_t head_count = 0;
  int64_t key_value_head_count = 0;
  int64_t head_width = 0;
  std::optional<double> rope_theta;  // nullopt: positions do not rotate
  bool query_key_value_bias = false;
  bool output_bias = false;
  QueryKeyNorm query_key_norm = QueryKeyNorm::kNone;
  std::optional<double> clip;  // olmoe's clip_qkv: values clamped to +-clip
};

// Routed experts of a MoE layer: softmax of logits / temperature over all, then
// the top k.
struct ExpertConfig {
  int64_t count = 0;         // E
  int64_t per_token = 0;     // k
  int64_t width = 0;         // f
  bool renormalize = false;  // whether the k gates are divided by their sum
  double temperature = 1;
  int64_t shared_width = 0;  // 0: no shared expert
};

// One decoder layer.
struct LayerConfig {
  bool is_moe = false;
  int64_t dense_width = 0;  // f of the dense MLP; 0 in a MoE layer
  // Positions a token sees, itself included; nullopt: all before it.
  std::optional<int64_t> sliding_window;
};

// What config.json says, checked: every size positive and consistent, and no
// size taken from a class default. A few switches may be absent and then mean
// what they mean to transformers: tie_word_embeddings, attention_bias and
// use_sliding_window false, qkv_bias true, mlp_only_layers none,
// decoder_sparse_step 1, initializer_range 0.02, llama's rope_theta 10000. What
// transformers does not know may be absent, too: initialization normal.
struct ModelConfig {
  std::string family;  // model_type
  // No decoder, but one block of experts, or one MLP, that examples enter as
  // they are and that a linear map reads out: no attention, no norms, no
  // residual stream. Its embedding are the examples, data that no training
  // changes; token ids are their numbers.
  bool is_mlp = false;
  int64_t width = 0;            // d
  int64_t vocabulary_size = 0;  // or examples
  int64_t output_count = 0;     // rows of the head
  // Learned positions, added to the embedding; 0: positions rotate.
  int64_t position_count = 0;
  double norm_epsilon = 0;
  InitialWeights initialization = InitialWeights::kNormal;
  double initializer_range = 0.02;  // deviation, where they are normal
  ExpertKind expert_kind = ExpertKind::kGatedMlp;  // of dense MLPs as well
  bool tied_embeddings = false;
  // auto_map names code that came with the checkpoint: it is never run.
  bool names_own_code = false;
  AttentionConfig attention;  // of a decoder
  ExpertConfig experts;       // count 0 in a dense model
  std::vector<LayerConfig> layers;
};

// Reads the text of a config.json, with the keys of transformers 4
// (rope_theta, torch_dtype) or 5 (rope_parameters, dtype).
//
// Returns InvalidArgument for malformed JSON, duplicate or missing keys, wrong
// types and impossible values; Unimplemented, by name, for another family, a
// rope scaling, an activation other than the family's, or quantised weights.
absl::StatusOr<ModelConfig> ParseModelConfig(std::string_view json);

// Families that can be analysed, as `model_type` names them, sorted.
std::vector<std::string> SupportedFamilies();

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_CHECKPOINT_MODEL_CONFIG_H_
