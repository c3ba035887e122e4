#ifndef MOEPROBE_CORE_PLAN_TRAINING_COST_H_
#define MOEPROBE_CORE_PLAN_TRAINING_COST_H_

#include <cstdint>

#include "core/plan/decoder_shape.h"

namespace moeprobe {

// Returns how many tokens, or examples, a step of `batch` windows, or examples,
// learns from.
int64_t TokensOfStep(const DecoderShape& shape, int64_t batch);

// Returns the operations of the products of a forward pass over `tokens` tokens
// in whole windows, or as many examples, `per_token` experts acting on each: 2
// for every weight that a token meets, and attention within its window. A step
// of training takes three times as many.
double ForwardOperations(const DecoderShape& shape, int64_t per_token,
                         int64_t tokens);

// Returns the bytes that a run holds while it trains, with `batch` windows, or
// examples, a step: weights, gradients and both moments, what the backward pass
// needs, and all examples of an MLP with their targets.
int64_t TrainingBytes(const DecoderShape& shape, int64_t per_token,
                      int64_t batch);

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_PLAN_TRAINING_COST_H_
