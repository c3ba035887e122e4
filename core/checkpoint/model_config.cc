#include "core/checkpoint/model_config.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/base/quoted.h"
#include "core/base/status_macros.h"
#include "core/base/strict_json.h"
#include "core/checkpoint/config_fields.h"
#include "core/checkpoint/config_limits.h"
#include "core/checkpoint/layer_schedule.h"
#include "core/checkpoint/model_family.h"
#include "core/checkpoint/rope_config.h"

namespace moeprobe {
namespace {

absl::StatusOr<const ModelFamily*> ParseFamily(const ConfigFields& fields) {
  MOEPROBE_ASSIGN_OR_RETURN(const std::string model_type,
                            fields.String("model_type"));
  const ModelFamily* family = FindModelFamily(model_type);
  if (family != nullptr) return family;
  return absl::UnimplementedError(absl::StrCat(
      "key \"model_type\" is ", Quoted(model_type), ", expected one of ",
      absl::StrJoin(SupportedFamilies(), ", ")));
}

absl::Status RefuseQuantization(const ConfigFields& fields) {
  const JsonValue* value = fields.Find("quantization_config");
  if (value == nullptr) return absl::OkStatus();
  const JsonValue* method = value->object() == nullptr
                                ? nullptr
                                : FindMember(*value->object(), "quant_method");
  return absl::UnimplementedError(absl::StrCat(
      "key \"quantization_config\" asks for ",
      method == nullptr ? "quantised weights" : method->Description(),
      ", expected weights in float32, float16 or bfloat16"));
}

// What a family's class can be told to do and moeprobe cannot.
absl::Status RefuseUnsupported(const ConfigFields& fields) {
  MOEPROBE_RETURN_IF_ERROR(RefuseQuantization(fields));
  MOEPROBE_ASSIGN_OR_RETURN(const std::string activation,
                            fields.String("hidden_act"));
  if (activation != "silu") {
    return absl::UnimplementedError(absl::StrCat(
        "key \"hidden_act\" is ", Quoted(activation), ", expected silu"));
  }
  MOEPROBE_ASSIGN_OR_RETURN(const bool has_mlp_bias,
                            fields.BooleanOr("mlp_bias", false));
  if (has_mlp_bias) {
    return absl::UnimplementedError(
        "key \"mlp_bias\" is true, expected false: biases of the MLP are not "
        "supported");
  }
  return absl::OkStatus();
}

absl::Status ParseHeads(const ConfigFields& fields, const ModelFamily& family,
                        AttentionConfig& attention) {
  MOEPROBE_ASSIGN_OR_RETURN(
      attention.head_count,
      fields.Integer("num_attention_heads", 1, kMaxHeads));
  MOEPROBE_ASSIGN_OR_RETURN(
      const std::optional<int64_t> key_value_heads,
      fields.OptionalInteger("num_key_value_heads", 1, attention.head_count));
  if (!fields.States("num_key_value_heads") &&
      family.must_state_key_value_heads) {
    return fields.Error("num_key_value_heads", "an integer");
  }
  attention.key_value_head_count =
      key_value_heads.value_or(attention.head_count);
  if (attention.head_count % attention.key_value_head_count == 0) {
    return absl::OkStatus();
  }
  return fields.Error(
      "num_key_value_heads",
      absl::StrCat("a divisor of num_attention_heads, which is ",
                   attention.head_count));
}

absl::Status ParseHeadWidth(const ConfigFields& fields,
                            const ModelFamily& family, int64_t width,
                            AttentionConfig& attention) {
  if (fields.Find("head_dim") != nullptr || family.must_state_head_width) {
    MOEPROBE_ASSIGN_OR_RETURN(attention.head_width,
                              fields.Integer("head_dim", 1, kMaxHeadWidth));
  } else if (width % attention.head_count != 0) {
    return fields.Error(
        "hidden_size",
        absl::StrCat("a multiple of num_attention_heads, which is ",
                     attention.head_count, ", where head_dim is absent"));
  } else {
    attention.head_width = width / attention.head_count;
  }
  if (attention.head_width % 2 == 0) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("the width of a head is ", attention.head_width,
                   ", expected an even number: rotation acts on pairs"));
}

absl::Status ParseBiases(const ConfigFields& fields, BiasRule rule,
                         AttentionConfig& attention) {
  switch (rule) {
    case BiasRule::kNone:
      return absl::OkStatus();
    case BiasRule::kQueryKeyValue:
      attention.query_key_value_bias = true;
      return absl::OkStatus();
    case BiasRule::kQueryKeyValueByConfig: {
      MOEPROBE_ASSIGN_OR_RETURN(attention.query_key_value_bias,
                                fields.BooleanOr("qkv_bias", true));
      return absl::OkStatus();
    }
    case BiasRule::kAllByConfig: {
      MOEPROBE_ASSIGN_OR_RETURN(attention.query_key_value_bias,
                                fields.BooleanOr("attention_bias", false));
      attention.output_bias = attention.query_key_value_bias;
      return absl::OkStatus();
    }
  }
  return absl::InternalError("a bias rule without a meaning");
}

absl::StatusOr<AttentionConfig> ParseAttention(const ConfigFields& fields,
                                               const ModelFamily& family,
                                               int64_t width) {
  AttentionConfig attention;
  attention.query_key_norm = family.query_key_norm;
  MOEPROBE_RETURN_IF_ERROR(ParseHeads(fields, family, attention));
  MOEPROBE_RETURN_IF_ERROR(ParseHeadWidth(fields, family, width, attention));
  MOEPROBE_RETURN_IF_ERROR(ParseBiases(fields, family.biases, attention));
  MOEPROBE_ASSIGN_OR_RETURN(attention.rope_theta,
                            ParseRopeTheta(fields, family));
  if (family.has_clip) {
    MOEPROBE_ASSIGN_OR_RETURN(attention.clip,
                              fields.OptionalPositiveNumber("clip_qkv"));
  }
  return attention;
}

// num_experts or num_local_experts: transformers takes either.
absl::StatusOr<int64_t> ParseExpertCount(const ConfigFields& fields) {
  if (fields.Find("num_experts") == nullptr) {
    return fields.Integer("num_local_experts", 1, kMaxExperts);
  }
  MOEPROBE_ASSIGN_OR_RETURN(const int64_t count,
                            fields.Integer("num_experts", 1, kMaxExperts));
  MOEPROBE_ASSIGN_OR_RETURN(
      const std::optional<int64_t> other,
      fields.OptionalInteger("num_local_experts", 1, kMaxExperts));
  if (other.value_or(count) == count) return count;
  return fields.Error("num_local_experts",
                      absl::StrCat("num_experts, which is ", count));
}

absl::StatusOr<ExpertConfig> ParseExperts(const ConfigFields& fields,
                                          const MoeRules& rules) {
  ExpertConfig experts = {.renormalize = true};
  MOEPROBE_ASSIGN_OR_RETURN(experts.count, ParseExpertCount(fields));
  MOEPROBE_ASSIGN_OR_RETURN(
      experts.per_token,
      fields.Integer("num_experts_per_tok", 1, experts.count));
  MOEPROBE_ASSIGN_OR_RETURN(
      experts.width, fields.Integer(rules.expert_width_key, 1, kMaxWidth));
  if (!rules.always_renormalizes) {
    MOEPROBE_ASSIGN_OR_RETURN(experts.renormalize,
                              fields.Boolean("norm_topk_prob"));
  }
  if (rules.has_shared_expert) {
    MOEPROBE_ASSIGN_OR_RETURN(
        experts.shared_width,
        fields.Integer("shared_expert_intermediate_size", 1, kMaxWidth));
  }
  return experts;
}

}  // namespace

absl::StatusOr<ModelConfig> ParseModelConfig(std::string_view json) {
  MOEPROBE_ASSIGN_OR_RETURN(const JsonObject root, ParseJsonObject(json));
  const ConfigFields fields(root);
  MOEPROBE_ASSIGN_OR_RETURN(const ModelFamily* const family,
                            ParseFamily(fields));
  MOEPROBE_RETURN_IF_ERROR(RefuseUnsupported(fields));

  ModelConfig config;
  config.family = std::string(family->model_type);
  MOEPROBE_ASSIGN_OR_RETURN(config.width,
                            fields.Integer("hidden_size", 1, kMaxWidth));
  MOEPROBE_ASSIGN_OR_RETURN(config.vocabulary_size,
                            fields.Integer("vocab_size", 1, kMaxVocabulary));
  MOEPROBE_ASSIGN_OR_RETURN(config.norm_epsilon,
                            fields.PositiveNumber("rms_norm_eps"));
  MOEPROBE_ASSIGN_OR_RETURN(const std::optional<double> range,
                            fields.OptionalPositiveNumber("initializer_range"));
  config.initializer_range = range.value_or(config.initializer_range);
  MOEPROBE_ASSIGN_OR_RETURN(config.tied_embeddings,
                            fields.BooleanOr("tie_word_embeddings", false));
  config.names_own_code = fields.Find("auto_map") != nullptr;
  MOEPROBE_ASSIGN_OR_RETURN(config.attention,
                            ParseAttention(fields, *family, config.width));
  if (family->moe) {
    MOEPROBE_ASSIGN_OR_RETURN(config.experts,
                              ParseExperts(fields, *family->moe));
  }
  MOEPROBE_ASSIGN_OR_RETURN(config.layers, ParseLayers(fields, *family));
  return config;
}

std::vector<std::string> SupportedFamilies() {
  std::vector<std::string> names;
  for (const ModelFamily& family : ModelFamilies()) {
    names.emplace_back(family.model_type);
  }
  return names;
}

}  // namespace moeprobe
