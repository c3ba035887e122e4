#include "core/train/balance_loss.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <c10/core/ScalarType.h>

#include "core/train/token_gates.h"

namespace moeprobe {

at::Tensor BalanceLoss(const TokenGates& gates) {
  const at::Tensor counts = TokensByExpert(gates).to(at::kFloat);
  const at::Tensor shares = counts / counts.sum();
  return (shares * gates.probabilities.mean(0)).sum() *
         gates.probabilities.size(1);
}

}  // namespace moeprobe
