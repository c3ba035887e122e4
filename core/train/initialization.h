#ifndef MOEPROBE_CORE_TRAIN_INITIALIZATION_H_
#define MOEPROBE_CORE_TRAIN_INITIALIZATION_H_

#include <cstdint>

#include "core/train/parameters.h"

namespace moeprobe {

// Where training begins. Factors of norms are 1 and their biases 0 in both.
enum class Initialization : std::uint8_t {
  // Matrices, router and embeddings normal(0, 0.02); biases 0.
  kNormal002,
  // PyTorch's own: embeddings normal(0, 1), the weights and biases of a linear
  // map uniform in (-1/sqrt(n), 1/sqrt(n)) with n inputs.
  kTorch,
};

// Fills `model` with random weights. A weight depends on `seed`, its place in
// the model and its shape: variants of a model begin with the same attention
// and embeddings.
void InitializeParameters(const ModelParameters& model,
                          Initialization initialization, int64_t seed);

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_TRAIN_INITIALIZATION_H_
