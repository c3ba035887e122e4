#include "core/tensor/vector_math.h"

#include <ATen/core/Tensor.h>
#include <ATen/ops/ones.h>
#include <c10/core/ScalarType.h>

namespace moeprobe {

void ChooseVectorMath() {
  // Those that ATen/cpu/vml.h leaves to MKL.
  for (const at::ScalarType type : {at::kFloat, at::kDouble}) {
    const at::Tensor one = at::ones({1}, type);
    one.acos();
    one.asin();
    one.atan();
    one.cos();
    one.erf();
    one.erfc();
    one.erfinv();
    one.exp();
    one.log();
    one.log10();
    one.log2();
    one.sin();
    one.sqrt();
    one.tan();
    one.tanh();
    one.trunc();
  }
}

}  // namespace moeprobe
