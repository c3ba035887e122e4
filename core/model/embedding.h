#ifndef MOEPROBE_CORE_MODEL_EMBEDDING_H_
#define MOEPROBE_CORE_MODEL_EMBEDDING_H_

#include <ATen/core/Tensor.h>

#include "core/checkpoint/checkpoint.h"

namespace moeprobe {

// Returns the residual stream before the first layer, [T, d] float32, for
// `token_ids` [T] int64, each below the vocabulary size.
at::Tensor Embed(const Checkpoint& checkpoint, const at::Tensor& token_ids);

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_MODEL_EMBEDDING_H_
