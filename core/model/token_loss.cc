#include "core/model/token_loss.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/linear.h>
#include <c10/core/ScalarType.h>

#include <algorithm>
#include <cstdint>

#include "core/checkpoint/checkpoint.h"
#include "core/model/norm.h"
#include "core/model/weight.h"

namespace moeprobe {
namespace {

// Bounds the logits in memory, whatever the vocabulary.
constexpr int64_t kMaxLogits = int64_t{1} << 25;

}  // namespace

double NextTokenLoss(const Checkpoint& checkpoint, const at::Tensor& residual,
                     const at::Tensor& token_ids, int64_t sequence_length,
                     at::ScalarType type) {
  const at::Tensor head = Weight(checkpoint.head(), type);  // [V, d]
  const double epsilon = checkpoint.config().norm_epsilon;
  const int64_t width = residual.size(1);

  // Every token but a window's last one, and what came after it.
  const at::Tensor states = residual.view({-1, sequence_length, width})
                                .slice(1, 0, sequence_length - 1)
                                .reshape({-1, width});
  const at::Tensor targets =
      token_ids.view({-1, sequence_length}).slice(1, 1).reshape({-1, 1});

  const int64_t rows = std::max<int64_t>(1, kMaxLogits / head.size(0));
  double sum = 0;
  for (int64_t begin = 0; begin < states.size(0); begin += rows) {
    const int64_t end = std::min(begin + rows, states.size(0));
    const at::Tensor x =
        Norm(states.slice(0, begin, end), *checkpoint.final_norm(), epsilon)
            .to(type);
    const at::Tensor logits = at::linear(x, head).to(at::kFloat);
    const at::Tensor predicted =
        logits.gather(1, targets.slice(0, begin, end)).flatten();
    sum += (logits.logsumexp(1) - predicted).sum(at::kDouble).item<double>();
  }
  return sum / static_cast<double>(states.size(0));
}

}  // namespace moeprobe
