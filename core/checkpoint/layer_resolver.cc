#include "core/checkpoint/layer_resolver.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/checkpoint/checkpoint.h"
#include "core/checkpoint/model_config.h"
#include "core/checkpoint/model_family.h"
#include "core/checkpoint/tensor_view.h"

namespace moeprobe {
namespace {

// Rows [first, first + count) of matrix `index` in a stack [E, rows, columns].
TensorView RowsOf(const TensorView& stack, int64_t index, int64_t first,
                  int64_t count) {
  const int64_t rows = stack.shape[1], columns = stack.shape[2];
  const size_t row_bytes =
      stack.bytes.size() / static_cast<size_t>(stack.shape[0] * rows);
  const size_t begin = static_cast<size_t>(index * rows + first) * row_bytes;
  return {.name = absl::StrCat(stack.name, "[", index, ", ", first, ":",
                               first + count, "]"),
          .type = stack.type,
          .shape = {count, columns},
          .bytes = stack.bytes.subspan(begin,
                                       static_cast<size_t>(count) * row_bytes)};
}

}  // namespace

absl::StatusOr<LayerTensors> LayerResolver::Resolve(int64_t index) {
  const std::string layer = absl::StrCat("model.layers.", index, ".");
  const LayerConfig& config = config_.layers[static_cast<size_t>(index)];
  LayerTensors tensors;
  if (!family_.is_mlp) {
    MOEPROBE_ASSIGN_OR_RETURN(tensors.input_norm,
                              Norm(layer + "input_layernorm"));
    MOEPROBE_ASSIGN_OR_RETURN(tensors.attention,
                              Attention(layer + "self_attn."));
    MOEPROBE_ASSIGN_OR_RETURN(tensors.mlp_norm,
                              Norm(layer + "post_attention_layernorm"));
  }
  if (config.is_moe && family_.moe) {
    MOEPROBE_RETURN_IF_ERROR(Moe(layer, *family_.moe, tensors));
  } else {
    MOEPROBE_ASSIGN_OR_RETURN(
        tensors.dense, Mlp(layer + "mlp.", family_.mlp, config.dense_width));
  }
  return tensors;
}

absl::StatusOr<NormTensors> LayerResolver::Norm(const std::string& name) {
  NormTensors norm;
  MOEPROBE_ASSIGN_OR_RETURN(norm.weight,
                            weights_.Use(name + ".weight", {config_.width}));
  if (family_.has_layer_norms) {
    MOEPROBE_ASSIGN_OR_RETURN(norm.bias,
                              weights_.Use(name + ".bias", {config_.width}));
  }
  return norm;
}

absl::StatusOr<AttentionTensors> LayerResolver::Attention(
    const std::string& prefix) {
  const AttentionConfig& attention = config_.attention;
  const int64_t width = config_.width;
  const int64_t query_width = attention.head_count * attention.head_width;
  const int64_t key_width =
      attention.key_value_head_count * attention.head_width;
  AttentionTensors tensors;
  MOEPROBE_ASSIGN_OR_RETURN(
      tensors.query,
      weights_.Use(prefix + "q_proj.weight", {query_width, width}));
  MOEPROBE_ASSIGN_OR_RETURN(
      tensors.key, weights_.Use(prefix + "k_proj.weight", {key_width, width}));
  MOEPROBE_ASSIGN_OR_RETURN(
      tensors.value,
      weights_.Use(prefix + "v_proj.weight", {key_width, width}));
  MOEPROBE_ASSIGN_OR_RETURN(
      tensors.output,
      weights_.Use(prefix + "o_proj.weight", {width, query_width}));
  MOEPROBE_RETURN_IF_ERROR(AttentionBiases(prefix, tensors));
  MOEPROBE_RETURN_IF_ERROR(QueryKeyNorms(prefix, tensors));
  return tensors;
}

absl::Status LayerResolver::AttentionBiases(const std::string& prefix,
                                            AttentionTensors& tensors) {
  if (config_.attention.query_key_value_bias) {
    MOEPROBE_ASSIGN_OR_RETURN(
        tensors.query_bias,
        weights_.Use(prefix + "q_proj.bias", {tensors.query.shape[0]}));
    MOEPROBE_ASSIGN_OR_RETURN(
        tensors.key_bias,
        weights_.Use(prefix + "k_proj.bias", {tensors.key.shape[0]}));
    MOEPROBE_ASSIGN_OR_RETURN(
        tensors.value_bias,
        weights_.Use(prefix + "v_proj.bias", {tensors.value.shape[0]}));
  }
  if (config_.attention.output_bias) {
    MOEPROBE_ASSIGN_OR_RETURN(
        tensors.output_bias,
        weights_.Use(prefix + "o_proj.bias", {config_.width}));
  }
  return absl::OkStatus();
}

absl::Status LayerResolver::QueryKeyNorms(const std::string& prefix,
                                          AttentionTensors& tensors) {
  const QueryKeyNorm norm = config_.attention.query_key_norm;
  if (norm == QueryKeyNorm::kNone) return absl::OkStatus();
  const bool is_per_head = norm == QueryKeyNorm::kPerHead;
  const int64_t head_width = config_.attention.head_width;
  MOEPROBE_ASSIGN_OR_RETURN(
      tensors.query_norm,
      weights_.Use(prefix + "q_norm.weight",
                   {is_per_head ? head_width : tensors.query.shape[0]}));
  MOEPROBE_ASSIGN_OR_RETURN(
      tensors.key_norm,
      weights_.Use(prefix + "k_norm.weight",
                   {is_per_head ? head_width : tensors.key.shape[0]}));
  return absl::OkStatus();
}

absl::StatusOr<MlpTensors> LayerResolver::Mlp(const std::string& prefix,
                                              const MlpNames& names,
                                              int64_t width) {
  const auto use = [&](std::string_view name, const char* part,
                       const std::vector<int64_t>& shape) {
    return weights_.Use(absl::StrCat(prefix, std::string(name), part), shape);
  };
  MlpTensors mlp;
  MOEPROBE_ASSIGN_OR_RETURN(mlp.gate,
                            use(names.gate, ".weight", {width, config_.width}));
  if (family_.expert_kind == ExpertKind::kGatedMlp) {
    MOEPROBE_ASSIGN_OR_RETURN(mlp.up,
                              use(names.up, ".weight", {width, config_.width}));
  } else {
    MOEPROBE_ASSIGN_OR_RETURN(mlp.gate_bias, use(names.gate, ".bias", {width}));
    MOEPROBE_ASSIGN_OR_RETURN(mlp.down_bias,
                              use(names.down, ".bias", {config_.width}));
  }
  MOEPROBE_ASSIGN_OR_RETURN(mlp.down,
                            use(names.down, ".weight", {config_.width, width}));
  return mlp;
}

absl::Status LayerResolver::Moe(const std::string& layer, const MoeRules& rules,
                                LayerTensors& tensors) {
  std::string block = layer + std::string(rules.block);
  const std::string other_block = layer + std::string(rules.other_block);
  if (weights_.Contains(other_block + "gate.weight")) block = other_block;
  MOEPROBE_ASSIGN_OR_RETURN(
      tensors.router, weights_.Use(block + "gate.weight",
                                   {config_.experts.count, config_.width}));
  if (rules.has_router_bias) {
    MOEPROBE_ASSIGN_OR_RETURN(
        tensors.router_bias,
        weights_.Use(block + "gate.bias", {config_.experts.count}));
  }
  const bool is_fused = weights_.Contains(block + "experts.gate_up_proj");
  MOEPROBE_ASSIGN_OR_RETURN(
      tensors.experts, is_fused ? FusedExperts(block) : Experts(block, rules));
  return rules.has_shared_expert ? SharedExpert(block, tensors)
                                 : absl::OkStatus();
}

absl::Status LayerResolver::SharedExpert(const std::string& block,
                                         LayerTensors& tensors) {
  MOEPROBE_ASSIGN_OR_RETURN(
      tensors.shared,
      Mlp(block + "shared_expert.", family_.mlp, config_.experts.shared_width));
  MOEPROBE_ASSIGN_OR_RETURN(
      tensors.shared_gate,
      weights_.Use(block + "shared_expert_gate.weight", {1, config_.width}));
  return absl::OkStatus();
}

absl::StatusOr<std::vector<MlpTensors>> LayerResolver::Experts(
    const std::string& block, const MoeRules& rules) {
  std::vector<MlpTensors> experts;
  for (int64_t i = 0; i < config_.experts.count; ++i) {
    MOEPROBE_ASSIGN_OR_RETURN(MlpTensors expert,
                              Mlp(absl::StrCat(block, "experts.", i, "."),
                                  rules.expert, config_.experts.width));
    experts.push_back(std::move(expert));
  }
  return experts;
}

// As transformers 5 holds them in memory: rows of the gate, then of up.
absl::StatusOr<std::vector<MlpTensors>> LayerResolver::FusedExperts(
    const std::string& block) {
  const int64_t count = config_.experts.count;
  const int64_t width = config_.experts.width;
  MOEPROBE_ASSIGN_OR_RETURN(const TensorView gate_up,
                            weights_.Use(block + "experts.gate_up_proj",
                                         {count, 2 * width, config_.width}));
  MOEPROBE_ASSIGN_OR_RETURN(
      const TensorView down,
      weights_.Use(block + "experts.down_proj", {count, config_.width, width}));
  std::vector<MlpTensors> experts;
  experts.reserve(static_cast<size_t>(count));
  for (int64_t i = 0; i < count; ++i) {
    experts.push_back({.gate = RowsOf(gate_up, i, 0, width),
                       .up = RowsOf(gate_up, i, width, width),
                       .down = RowsOf(down, i, 0, config_.width)});
  }
  return experts;
}

}  // namespace moeprobe
