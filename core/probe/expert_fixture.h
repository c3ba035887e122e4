#ifndef MOEPROBE_CORE_PROBE_EXPERT_FIXTURE_H_
#define MOEPROBE_CORE_PROBE_EXPERT_FIXTURE_H_

// For tests: experts with random weights, and their Jacobians by autograd.

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/gelu.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/silu.h>
#include <ATen/ops/stack.h>
#include <torch/csrc/autograd/autograd.h>

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "core/checkpoint/checkpoint.h"
#include "core/checkpoint/model_config.h"
#include "core/model/weight.h"

namespace moeprobe {

inline constexpr std::array kExpertKinds = {ExpertKind::kGatedMlp,
                                            ExpertKind::kGeluMlp};

// An expert that owns its weights; those its kind lacks are undefined.
struct ExpertFixture {
  ExpertFixture(int64_t width, int64_t hidden,
                ExpertKind kind = ExpertKind::kGatedMlp)
      : gate(at::randn({hidden, width}) / std::sqrt(width)) {
    if (kind == ExpertKind::kGatedMlp) {
      up = at::randn({hidden, width}) / std::sqrt(width);
    } else {
      gate_bias = at::randn({hidden}) / 2;
      down_bias = at::randn({width}) / 2;
    }
    down = at::randn({width, hidden}) / std::sqrt(hidden);
  }

  MlpTensors Tensors() const {
    const auto optional = [](const at::Tensor& tensor, const char* name) {
      return tensor.defined() ? std::optional(ViewOf(tensor, name))
                              : std::nullopt;
    };
    return {.gate = ViewOf(gate, "gate"),
            .up = optional(up, "up"),
            .gate_bias = optional(gate_bias, "gate bias"),
            .down_bias = optional(down_bias, "down bias"),
            .down = ViewOf(down, "down")};
  }

  // The same function: hidden units have no order.
  void PermuteNeurons() {
    const at::Tensor order = at::randn({gate.size(0)}).argsort();
    gate = gate.index_select(0, order);
    if (up.defined()) up = up.index_select(0, order);
    if (gate_bias.defined()) gate_bias = gate_bias.index_select(0, order);
    down = down.index_select(1, order).contiguous();
  }

  // f(x) in float64; x [d].
  at::Tensor Apply(const at::Tensor& x) const {
    const at::Tensor g = gate.to(at::kDouble).mv(x);
    const at::Tensor out = down.to(at::kDouble);
    if (up.defined()) return out.mv(at::silu(g) * up.to(at::kDouble).mv(x));
    return out.mv(at::gelu(g + gate_bias.to(at::kDouble))) +
           down_bias.to(at::kDouble);
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

  at::Tensor gate, up, gate_bias, down_bias, down;
};

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_PROBE_EXPERT_FIXTURE_H_
