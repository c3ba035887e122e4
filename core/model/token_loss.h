#ifndef MOEPROBE_CORE_MODEL_TOKEN_LOSS_H_
#define MOEPROBE_CORE_MODEL_TOKEN_LOSS_H_

#include <ATen/core/Tensor.h>
#include <c10/core/ScalarType.h>

#include <cstdint>

#include "core/checkpoint/checkpoint.h"

namespace moeprobe {

// Returns the mean loss, in nats, of the model's prediction of each window's
// next token, from the residual stream after the last layer.
//
// `residual` [T, d] float32; `token_ids` [T] int64, whole windows of
// `sequence_length`. The last token of a window predicts nothing.
double NextTokenLoss(const Checkpoint& checkpoint, const at::Tensor& residual,
                     const at::Tensor& token_ids, int64_t sequence_length,
                     at::ScalarType type);

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_MODEL_TOKEN_LOSS_H_
