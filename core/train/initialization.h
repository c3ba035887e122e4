#ifndef MOEPROBE_CORE_TRAIN_INITIALIZATION_H_
#define MOEPROBE_CORE_TRAIN_INITIALIZATION_H_

#include <cstdint>

#include "core/train/parameters.h"
#include "core/train/training_options.h"

namespace moeprobe {

// Fills `model` with random weights. A weight depends on `seed`, its place in
// the model and its shape: variants of a model begin with the same attention
// and embeddings.
void InitializeParameters(const ModelParameters& model,
                          Initialization initialization, int64_t seed);

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_TRAIN_INITIALIZATION_H_
