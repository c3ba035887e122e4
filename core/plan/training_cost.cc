#include "core/plan/training_cost.h"

#include <algorithm>
#include <cstdint>

#include "core/plan/decoder_shape.h"

namespace moeprobe {
namespace {

constexpr int64_t kNumberBytes = 4;
// Weights, gradients, two moments.
constexpr int64_t kCopiesOfWeights = 4;

// MLPs that act on a token.
int64_t ActiveMlps(const DecoderShape& shape, int64_t per_token) {
  return shape.experts == 0 ? 1 : std::min(per_token, shape.experts);
}

// Rows of the last matrix.
int64_t HeadRows(const DecoderShape& shape) {
  return shape.is_mlp() ? shape.outputs : shape.vocabulary;
}

}  // namespace

int64_t TokensOfStep(const DecoderShape& shape, int64_t batch) {
  return shape.is_mlp() ? batch : batch * shape.context;
}

double ForwardOperations(const DecoderShape& shape, int64_t per_token,
                         int64_t tokens) {
  const auto d = static_cast<double>(shape.width);
  const auto mlp = static_cast<double>(
      ActiveMlps(shape, per_token) *
      MlpParameterCount(shape.expert, shape.width, shape.expert_width));
  const double attention =
      shape.is_mlp() ? 0
                     : 4 * d * d + 2 * d * static_cast<double>(shape.context);
  const double router = d * static_cast<double>(shape.experts);
  const double layer = attention + router + mlp;
  const double head = d * static_cast<double>(HeadRows(shape));
  return 2 * static_cast<double>(tokens) *
         (static_cast<double>(shape.layers) * layer + head);
}

int64_t TrainingBytes(const DecoderShape& shape, int64_t per_token,
                      int64_t batch) {
  const int64_t tokens = TokensOfStep(shape, batch);
  // Pre-activations of experts; inputs and outputs of both blocks, queries,
  // keys and values, and norms.
  const int64_t activations =
      ActiveMlps(shape, per_token) * shape.expert_width + 10 * shape.width +
      shape.heads * shape.context;
  const int64_t logits = 3 * tokens * HeadRows(shape);
  const int64_t examples =
      shape.is_mlp() ? shape.vocabulary * (shape.width + 2 * shape.outputs) : 0;
  return kNumberBytes *
         (kCopiesOfWeights * ParameterCount(shape) +
          shape.layers * tokens * activations + logits + examples);
}

}  // namespace moeprobe
