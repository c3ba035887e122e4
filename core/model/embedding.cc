#include "core/model/embedding.h"

#include <ATen/core/Tensor.h>
#include <c10/core/ScalarType.h>

#include "core/checkpoint/checkpoint.h"
#include "core/model/weight.h"

namespace moeprobe {

at::Tensor Embed(const Checkpoint& checkpoint, const at::Tensor& token_ids) {
  // Rows are picked in the file's own type, so that only they are converted.
  return StoredWeight(checkpoint.embedding())
      .index_select(0, token_ids)
      .to(at::kFloat);
}

}  // namespace moeprobe
