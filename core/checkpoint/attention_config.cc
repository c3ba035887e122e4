#include "core/checkpoint/attention_config.h"

#include <cstdint>
#include <optional>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/checkpoint/config_fields.h"
#include "core/checkpoint/config_limits.h"
#include "core/checkpoint/model_config.h"
#include "core/checkpoint/model_family.h"
#include "core/checkpoint/rope_config.h"

namespace moeprobe {
namespace {

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
  if (family.has_learned_positions || attention.head_width % 2 == 0) {
    return absl::OkStatus();
  }
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
    case BiasRule::kAll:
      attention.query_key_value_bias = attention.output_bias = true;
      return absl::OkStatus();
  }
  return absl::InternalError("a bias rule without a meaning");
}

}  // namespace

absl::StatusOr<AttentionConfig> ParseAttention(const ConfigFields& fields,
                                               const ModelFamily& family,
                                               int64_t width) {
  AttentionConfig attention;
  attention.query_key_norm = family.query_key_norm;
  MOEPROBE_RETURN_IF_ERROR(ParseHeads(fields, family, attention));
  MOEPROBE_RETURN_IF_ERROR(ParseHeadWidth(fields, family, width, attention));
  MOEPROBE_RETURN_IF_ERROR(ParseBiases(fields, family.biases, attention));
  if (!family.has_learned_positions) {
    MOEPROBE_ASSIGN_OR_RETURN(attention.rope_theta,
                              ParseRopeTheta(fields, family));
  }
  if (family.has_clip) {
    MOEPROBE_ASSIGN_OR_RETURN(attention.clip,
                              fields.OptionalPositiveNumber("clip_qkv"));
  }
  return attention;
}

}  // namespace moeprobe
