#ifndef MOEPROBE_CORE_PROBE_EXPERT_FIXTURE_H_
#define MOEPROBE_CORE_PROBE_EXPERT_FIXTURE_H_

// For tests: experts with random weights, and their Jacobians by autograd.

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/silu.h>
#include <ATen/ops/stack.h>
#include <torch/csrc/autograd/autograd.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "core/checkpoint/checkpoint.h"
#include "core/checkpoint/tensor_view.h"

namespace moeprobe {

// A gated expert that owns its weights.
struct ExpertFixture {
  ExpertFixture(int64_t width, int64_t hidden)
      : gate(at::randn({hidden, width}) / std::sqrt(width)),
        up(at::randn({hidden, width}) / std::sqrt(width)),
        down(at::randn({width, hidden}) / std::sqrt(hidden)) {}

  static TensorView ViewOf(const at::Tensor& tensor) {
    const auto* data = static_cast<const std::byte*>(tensor.const_data_ptr());
    return {.name = "weight",
            .type = WeightType::kFloat32,
            .shape = tensor.sizes().vec(),
            .bytes = {data, tensor.nbytes()}};
  }

  GatedMlpTensors Tensors() const {
    return {.gate = ViewOf(gate), .up = ViewOf(up), .down = ViewOf(down)};
  }

  // f(x) in float64; x [d].
  at::Tensor Apply(const at::Tensor& x) const {
    const at::Tensor g = gate.to(at::kDouble).mv(x);
    return down.to(at::kDouble).mv(at::silu(g) * up.to(at::kDouble).mv(x));
  }

  // The Jacobian of f at x [d] by d backward passes, [d, d] float64.
  at::Tensor JacobianByAutograd(const at::Tensor& x) const {
    const at::Tensor input = x.to(at::kDouble).detach().requires_grad_();
    const at::Tensor output = Apply(input);
    std::vector<at::Tensor> rows;
    rows.reserve(static_cast<size_t>(output.size(0)));
    for (int64_t i = 0; i < output.size(0); ++i) {
      rows.push_back(torch::autograd::grad({output[i]}, {input}, {},
                                           /*retain_graph=*/true)[0]);
    }
    return at::stack(rows);
  }

  at::Tensor gate, up, down;
};

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_PROBE_EXPERT_FIXTURE_H_
