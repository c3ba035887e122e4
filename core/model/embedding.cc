#include "core/model/embedding.h"

#include <ATen/core/Tensor.h>
#include <c10/core/ScalarType.h>

#include <cstdint>

#include "core/checkpoint/checkpoint.h"
#include "core/model/weight.h"

namespace moeprobe {

at::Tensor Embed(const Checkpoint& checkpoint, const at::Tensor& token_ids,
                 int64_t sequence_length) {
  // Rows are picked in the file's own type, so that only they are converted.
  at::Tensor residual = StoredWeight(checkpoint.embedding())
                            .index_select(0, token_ids)
                            .to(at::kFloat);
  if (checkpoint.positions()) {
    residual.view({-1, sequence_length, residual.size(1)})
        .add_(StoredWeight(*checkpoint.positions())
                  .slice(0, 0, sequence_length)
                  .to(at::kFloat));
  }
  return residual;
}

}  // namespace moeprobe
