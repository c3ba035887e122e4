#ifndef MOEPROBE_CORE_PROBE_MIXTURE_JACOBIAN_H_
#define MOEPROBE_CORE_PROBE_MIXTURE_JACOBIAN_H_

#include <ATen/core/Tensor.h>
#include <c10/core/ScalarType.h>

#include <vector>

#include "core/checkpoint/checkpoint.h"
#include "core/model/router.h"

namespace moeprobe {

// What to multiply with A = sum over the chosen experts of g_e J_e(x), the
// Jacobian at each of n tokens with the gates held fixed.
struct MixtureVectors {
  at::Tensor own;     // [n, k, d]: each token's own vectors
  at::Tensor common;  // [m, d]: vectors for every token
};

// What came of it; everything of the type of the arithmetic.
struct MixtureProducts {
  at::Tensor outputs;  // [n, k, d]: f_e(x) of the chosen experts, in order
  at::Tensor own;      // [n, k, d]: A v
  at::Tensor common;   // [n, m, d]: A v
};

// Runs the chosen experts at the rows of `x` [n, d], expert by expert, each on
// all tokens that chose it. No A is built. `type`: of the arithmetic.
MixtureProducts ApplyMixture(const std::vector<MlpTensors>& experts,
                             const at::Tensor& x, const Routing& routing,
                             const MixtureVectors& vectors,
                             at::ScalarType type);

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_PROBE_MIXTURE_JACOBIAN_H_
