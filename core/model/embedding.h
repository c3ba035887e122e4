#ifndef MOEPROBE_CORE_MODEL_EMBEDDING_H_
#define MOEPROBE_CORE_MODEL_EMBEDDING_H_

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "core/checkpoint/checkpoint.h"

namespace moeprobe {

// Returns the residual stream before the first layer, [T, d] float32, for
// `token_ids` [T] int64, each below the vocabulary size: whole windows of
// `sequence_length`, one after the other, none longer than the model has
// learned positions, where it has them.
at::Tensor Embed(const Checkpoint& checkpoint, const at::Tensor& token_ids,
                 int64_t sequence_length);

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_MODEL_EMBEDDING_H_
