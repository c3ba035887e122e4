#include "core/plan/decoder_shape.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/checkpoint/model_config.h"

namespace moeprobe {
namespace {

absl::Status CheckPositive(
    std::initializer_list<std::pair<std::string_view, int64_t>> sizes) {
  for (const auto& [name, size] : sizes) {
    if (size >= 1) continue;
    return absl::InvalidArgumentError(
        absl::StrCat(std::string(name), " is ", size, ", expected at least 1"));
  }
  return absl::OkStatus();
}

bool HasBiases(ExpertKind kind) { return kind == ExpertKind::kGeluMlp; }

int64_t RouterParameterCount(const DecoderShape& shape) {
  return shape.experts * (shape.width + (HasBiases(shape.expert) ? 1 : 0));
}

// Parameters of the MLPs of one layer: `experts` of them and the router, or a
// dense one.
int64_t MlpBlockParameterCount(const DecoderShape& shape, int64_t experts) {
  const int64_t one =
      MlpParameterCount(shape.expert, shape.width, shape.expert_width);
  return shape.experts == 0 ? one : experts * one + RouterParameterCount(shape);
}

absl::Status CheckHeads(const DecoderShape& shape) {
  if (shape.width % shape.heads != 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("width is ", shape.width,
                     ", expected a multiple of heads, which is ", shape.heads));
  }
  const int64_t head_width = shape.width / shape.heads;
  if (shape.expert == ExpertKind::kGatedMlp && head_width % 2 != 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("the width of a head is ", head_width,
                     ", expected an even number: rotation acts on pairs"));
  }
  return absl::OkStatus();
}

// What stands around the MLPs of a decoder's layer: attention and two norms.
int64_t AttentionParameterCount(const DecoderShape& shape) {
  const int64_t d = shape.width;
  const int64_t norm = HasBiases(shape.expert) ? 2 * d : d;
  const int64_t biases = HasBiases(shape.expert) ? 4 * d : 0;
  return 2 * norm + 4 * d * d + biases;
}

}  // namespace

absl::Status CheckShape(const DecoderShape& shape) {
  MOEPROBE_RETURN_IF_ERROR(
      CheckPositive({{"layers", shape.layers},
                     {"width", shape.width},
                     {"heads", shape.heads},
                     {"context", shape.context},
                     {"vocabulary", shape.vocabulary},
                     {"expert_width", shape.expert_width}}));
  if (shape.experts < 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("experts is ", shape.experts, ", expected at least 0"));
  }
  if (shape.outputs < 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("outputs is ", shape.outputs, ", expected at least 0"));
  }
  if (!shape.is_mlp()) return CheckHeads(shape);
  if (shape.layers == 1) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(
      "layers is ", shape.layers, ", expected 1 where there is no attention"));
}

int64_t MlpParameterCount(ExpertKind kind, int64_t width, int64_t mlp_width) {
  if (kind == ExpertKind::kGatedMlp) return 3 * width * mlp_width;
  return 2 * width * mlp_width + mlp_width + width;
}

int64_t ParameterCount(const DecoderShape& shape) {
  const int64_t d = shape.width;
  const int64_t block = MlpBlockParameterCount(shape, shape.experts);
  if (shape.is_mlp()) return block + shape.outputs * d;
  const int64_t final_norm = HasBiases(shape.expert) ? 2 * d : d;
  const int64_t positions = HasBiases(shape.expert) ? shape.context * d : 0;
  return 2 * shape.vocabulary * d + positions +
         shape.layers * (AttentionParameterCount(shape) + block) + final_norm;
}

int64_t StoredNumberCount(const DecoderShape& shape) {
  return ParameterCount(shape) +
         (shape.is_mlp() ? shape.vocabulary * shape.width : 0);
}

absl::StatusOr<DecoderShape> DenseCounterpart(const DecoderShape& shape,
                                              int64_t per_token,
                                              WidthMatch match) {
  if (per_token < 1 || per_token > shape.experts) {
    return absl::InvalidArgumentError(absl::StrCat(
        "experts per token are ", per_token,
        ", expected 1 to the number of experts, which is ", shape.experts));
  }
  DecoderShape dense = shape;
  dense.experts = 0;
  if (match == WidthMatch::kExpert) return dense;
  const int64_t target = MlpBlockParameterCount(
      shape, match == WidthMatch::kActive ? per_token : shape.experts);
  const int64_t fixed = MlpParameterCount(shape.expert, shape.width, 0);
  const int64_t each = MlpParameterCount(shape.expert, shape.width, 1) - fixed;
  const double width =
      static_cast<double>(target - fixed) / static_cast<double>(each);
  dense.expert_width = std::max<int64_t>(1, std::llround(width));
  return dense;
}

}  // namespace moeprobe
