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
#include "core/checkpoint/attention_config.h"
#include "core/checkpoint/config_fields.h"
#include "core/checkpoint/config_limits.h"
#include "core/checkpoint/layer_schedule.h"
#include "core/checkpoint/model_family.h"

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
absl::Status RefuseUnsupported(const ConfigFields& fields,
                               const ModelFamily& family) {
  MOEPROBE_RETURN_IF_ERROR(RefuseQuantization(fields));
  MOEPROBE_ASSIGN_OR_RETURN(const std::string activation,
                            fields.String("hidden_act"));
  const std::string expected =
      family.expert_kind == ExpertKind::kGatedMlp ? "silu" : "gelu";
  if (activation != expected) {
    return absl::UnimplementedError(absl::StrCat(
        "key \"hidden_act\" is ", Quoted(activation), ", expected ", expected));
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
  if (rules.has_temperature) {
    MOEPROBE_ASSIGN_OR_RETURN(
        const std::optional<double> temperature,
        fields.OptionalPositiveNumber("router_temperature"));
    experts.temperature = temperature.value_or(1);
  }
  return experts;
}

absl::Status ParseInitialWeights(const ConfigFields& fields,
                                 ModelConfig& config) {
  MOEPROBE_ASSIGN_OR_RETURN(const std::optional<double> range,
                            fields.OptionalPositiveNumber("initializer_range"));
  config.initializer_range = range.value_or(config.initializer_range);
  if (fields.Find("initialization") == nullptr) return absl::OkStatus();
  MOEPROBE_ASSIGN_OR_RETURN(const std::string name,
                            fields.String("initialization"));
  if (name == "torch") {
    config.initialization = InitialWeights::kTorch;
  } else if (name != "normal") {
    return fields.Error("initialization", "normal or torch");
  }
  return absl::OkStatus();
}

absl::Status ParseRows(const ConfigFields& fields, const ModelFamily& family,
                       ModelConfig& config) {
  MOEPROBE_ASSIGN_OR_RETURN(
      config.vocabulary_size,
      fields.Integer(family.is_mlp ? "num_examples" : "vocab_size", 1,
                     kMaxVocabulary));
  config.output_count = config.vocabulary_size;
  if (!family.is_mlp) return absl::OkStatus();
  MOEPROBE_ASSIGN_OR_RETURN(config.output_count,
                            fields.Integer("num_outputs", 1, kMaxWidth));
  return absl::OkStatus();
}

absl::Status ParsePositionsAndNorms(const ConfigFields& fields,
                                    const ModelFamily& family,
                                    ModelConfig& config) {
  if (family.has_learned_positions) {
    MOEPROBE_ASSIGN_OR_RETURN(
        config.position_count,
        fields.Integer("max_position_embeddings", 1, kMaxLearnedPositions));
  }
  MOEPROBE_ASSIGN_OR_RETURN(
      config.norm_epsilon,
      fields.PositiveNumber(family.has_layer_norms ? "layer_norm_eps"
                                                   : "rms_norm_eps"));
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<ModelConfig> ParseModelConfig(std::string_view json) {
  MOEPROBE_ASSIGN_OR_RETURN(const JsonObject root, ParseJsonObject(json));
  const ConfigFields fields(root);
  MOEPROBE_ASSIGN_OR_RETURN(const ModelFamily* const family,
                            ParseFamily(fields));
  MOEPROBE_RETURN_IF_ERROR(RefuseUnsupported(fields, *family));

  ModelConfig config;
  config.family = std::string(family->model_type);
  config.is_mlp = family->is_mlp;
  config.expert_kind = family->expert_kind;
  MOEPROBE_ASSIGN_OR_RETURN(config.width,
                            fields.Integer("hidden_size", 1, kMaxWidth));
  MOEPROBE_RETURN_IF_ERROR(ParseRows(fields, *family, config));
  MOEPROBE_RETURN_IF_ERROR(ParseInitialWeights(fields, config));
  MOEPROBE_ASSIGN_OR_RETURN(config.tied_embeddings,
                            fields.BooleanOr("tie_word_embeddings", false));
  if (config.is_mlp && config.tied_embeddings) {
    return fields.Error("tie_word_embeddings", "false: examples are no head");
  }
  config.names_own_code = fields.Find("auto_map") != nullptr;
  if (!family->is_mlp) {
    MOEPROBE_RETURN_IF_ERROR(ParsePositionsAndNorms(fields, *family, config));
    MOEPROBE_ASSIGN_OR_RETURN(config.attention,
                              ParseAttention(fields, *family, config.width));
  }
  if (const MoeRules* rules = FindMoeRules(fields, *family)) {
    MOEPROBE_ASSIGN_OR_RETURN(config.experts, ParseExperts(fields, *rules));
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
