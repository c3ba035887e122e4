#ifndef MOEPROBE_CORE_PLAN_TRAINING_COST_H_
#define MOEPROBE_CORE_PLAN_TRAINING_COST_H_

#include <cstdint>

#include "core/plan/decoder_shape.h"

namespace moeprobe {

// Returns the operations of the products of a forward pass over `tokens` tokens
// in whole windows, `per_token` experts acting on each: 2 for every weight that
// a token meets, and attention within its window. A step of training takes
// three times as many.
double ForwardOperations(const DecoderShape& shape, int64_t per_token,
                         int64_t tokens);

// Returns the bytes that a run holds while it trains, with `batch` windows a
// step: weights, gradients and both moments, and what the backward pass needs.
int64_t TrainingBytes(const DecoderShape& shape, int64_t per_token,
                      int64_t batch);

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_PLAN_TRAINING_COST_H_
