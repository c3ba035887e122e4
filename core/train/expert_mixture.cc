#include "core/train/expert_mixture.h"

#include <ATen/core/Tensor.h>
#include <ATen/core/ivalue.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/zeros_like.h>
#include <c10/util/intrusive_ptr.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/custom_class.h>

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "core/train/expert_activation.h"
#include "core/train/expert_rows.h"
#include "core/train/parameters.h"

namespace moeprobe {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::Function;
using torch::autograd::variable_list;

// Keeps the rows between the two passes.
struct KeptRows : torch::CustomClassHolder {
  explicit KeptRows(ExpertRows kept) : rows(std::move(kept)) {}
  ExpertRows rows;
};

// Experts of a block side by side, of a stack [E, f, d]: [experts f, d].
at::Tensor WeightsOf(const at::Tensor& stack, const ExpertBlock& block) {
  return stack
      .slice(0, block.first_expert, block.first_expert + block.expert_count)
      .flatten(0, 1);
}

// A block's part of a matrix by token, [n, d].
at::Tensor ByToken(const at::Tensor& matrix, const ExpertBlock& block) {
  return matrix.slice(0, block.begin, block.end);
}

// A block's part of what is by token and expert, [n experts, ...].
at::Tensor ByRow(const at::Tensor& matrix, const ExpertBlock& block) {
  return matrix.slice(0, block.begin * block.expert_count,
                      block.end * block.expert_count);
}

// The same rows [n experts, f] with experts side by side, [n, experts f].
at::Tensor SideBySide(const at::Tensor& rows, const ExpertBlock& block) {
  return rows.view({block.end - block.begin, -1});
}

// Room for the largest block's rows.
class Room {
 public:
  Room(const std::vector<ExpertBlock>& blocks, int64_t width,
       const at::TensorOptions& options) {
    int64_t rows = 0;
    for (const ExpertBlock& block : blocks) {
      rows = std::max(rows, (block.end - block.begin) * block.expert_count);
    }
    matrix_ = at::empty({rows, width}, options);
  }

  // [n experts, f]
  at::Tensor For(const ExpertBlock& block) const {
    return matrix_.slice(0, 0, (block.end - block.begin) * block.expert_count);
  }

 private:
  at::Tensor matrix_;
};

// Writes x W^T for the block's tokens and experts to `to` [n experts, f].
void Widen(const at::Tensor& x, const at::Tensor& stack,
           const ExpertBlock& block, const at::Tensor& to) {
  at::Tensor out = SideBySide(to, block);
  at::mm_out(out, ByToken(x, block), WeightsOf(stack, block).t());
}

// What the two passes need to know of one block.
PreActivations BlockOf(const PreActivations& all, const at::Tensor& bias,
                       const ExpertBlock& block) {
  PreActivations part;
  part.up = ByRow(all.up, block);
  if (all.gate.defined()) part.gate = ByRow(all.gate, block);
  if (bias.defined()) {
    part.bias = bias.slice(0, block.first_expert,
                           block.first_expert + block.expert_count);
  }
  return part;
}

// Runs all blocks; fills `before`, which has room, and returns y by token.
at::Tensor RunBlocks(const at::Tensor& x, const at::Tensor& row_gates,
                     const ExpertParameters& experts,
                     const std::vector<ExpertBlock>& blocks,
                     const PreActivations& before) {
  at::Tensor y = at::empty_like(x);
  const Room room(blocks, before.up.size(1), x.options());
  for (const ExpertBlock& block : blocks) {
    const PreActivations part = BlockOf(before, experts.up_bias, block);
    Widen(x, experts.up, block, part.up);
    if (part.gate.defined()) Widen(x, experts.gate, block, part.gate);
    const at::Tensor p = room.For(block);
    ActivateRows(part, ByRow(row_gates, block), p);
    at::Tensor out = ByToken(y, block);
    at::mm_out(out, SideBySide(p, block), WeightsOf(experts.down, block));
  }
  return y;
}

// Gradients of all arguments of RunBlocks.
struct MixtureGradients {
  at::Tensor x, row_gates;
  ExpertParameters experts;
};

MixtureGradients ZerosFor(const at::Tensor& x, const at::Tensor& row_gates,
                          const ExpertParameters& experts) {
  const auto zeros = [](const at::Tensor& like) {
    return like.defined() ? at::zeros_like(like) : like;
  };
  return {.x = at::empty_like(x),
          .row_gates = at::empty_like(row_gates),
          .experts = {.gate = zeros(experts.gate),
                      .up = zeros(experts.up),
                      .up_bias = zeros(experts.up_bias),
                      .down = zeros(experts.down),
                      .down_bias = {}}};
}

// Goes through the blocks again, from dL/dy to the gradients.
class BackwardPass {
 public:
  BackwardPass(const at::Tensor& x, const at::Tensor& row_gates,
               const ExpertParameters& experts, const PreActivations& before,
               const std::vector<ExpertBlock>& blocks)
      : x_(x),
        row_gates_(row_gates),
        experts_(experts),
        before_(before),
        blocks_(blocks),
        result_(ZerosFor(x, row_gates, experts)) {}

  MixtureGradients Run(const at::Tensor& dy) {
    const int64_t width = before_.up.size(1);
    const Room dp(blocks_, width, x_.options());
    const Room du(blocks_, width, x_.options());
    const Room p(blocks_, width, x_.options());
    const Room da(blocks_, experts_.gate.defined() ? width : 0, x_.options());
    for (const ExpertBlock& block : blocks_) {
      Widen(dy, experts_.down, block, dp.For(block));
      const ActivationGradients inner{.gate = da.For(block),
                                      .up = du.For(block),
                                      .p = p.For(block),
                                      .gates = ByRow(result_.row_gates, block)};
      DifferentiateRows(dp.For(block),
                        BlockOf(before_, experts_.up_bias, block),
                        ByRow(row_gates_, block), inner);
      AddBlock(inner, dy, block);
    }
    return result_;
  }

 private:
  void AddBlock(const ActivationGradients& inner, const at::Tensor& dy,
                const ExpertBlock& block) {
    at::Tensor dx = ByToken(result_.x, block);
    const at::Tensor up = SideBySide(inner.up, block);
    at::mm_out(dx, up, WeightsOf(experts_.up, block));
    AddProduct(up, x_, block, result_.experts.up);
    AddProduct(SideBySide(inner.p, block), dy, block, result_.experts.down);
    if (experts_.gate.defined()) {
      const at::Tensor gate = SideBySide(inner.gate, block);
      dx.addmm_(gate, WeightsOf(experts_.gate, block));
      AddProduct(gate, x_, block, result_.experts.gate);
    } else {
      WeightsOf(result_.experts.up_bias.unsqueeze(2), block)
          .add_(up.sum(0).unsqueeze(1));
    }
  }

  // Adds rows^T x to a gradient.
  static void AddProduct(const at::Tensor& rows, const at::Tensor& x,
                         const ExpertBlock& block, const at::Tensor& gradient) {
    WeightsOf(gradient, block).addmm_(rows.t(), ByToken(x, block));
  }

  const at::Tensor& x_;
  const at::Tensor& row_gates_;
  const ExpertParameters& experts_;
  const PreActivations& before_;
  const std::vector<ExpertBlock>& blocks_;
  MixtureGradients result_;
};

// The weights that MixtureFunction takes gradients of: W_up, W_down and, by the
// kind of expert, W_gate or b_1.
variable_list ListOf(const ExpertParameters& experts) {
  return {experts.up, experts.down,
          experts.gate.defined() ? experts.gate : experts.up_bias};
}

ExpertParameters FromList(at::TensorList list) {
  const bool is_gated = list[2].dim() == 3;
  return {.gate = is_gated ? list[2] : at::Tensor(),
          .up = list[0],
          .up_bias = is_gated ? at::Tensor() : list[2],
          .down = list[1],
          .down_bias = {}};
}

struct MixtureFunction : Function<MixtureFunction> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x,
                            const at::Tensor& row_gates, at::TensorList weights,
                            const ExpertRows& rows) {
    const ExpertParameters experts = FromList(weights);
    const int64_t width = experts.up.size(1);
    const at::Tensor spread = rows.Spread(x);
    PreActivations before;
    before.up = at::empty({row_gates.size(0), width}, x.options());
    if (experts.gate.defined()) before.gate = at::empty_like(before.up);
    const at::Tensor y =
        RunBlocks(spread, row_gates, experts, rows.Blocks(width), before);
    context->save_for_backward({spread, row_gates, weights[0], weights[1],
                                weights[2], before.gate, before.up});
    context->saved_data["rows"] =
        c10::IValue::make_capsule(c10::make_intrusive<KeptRows>(rows));
    return rows.Combine(y);
  }

  static variable_list backward(AutogradContext* context,
                                const variable_list& gradients) {
    const variable_list saved = context->get_saved_variables();
    const ExpertParameters experts = FromList({saved[2], saved[3], saved[4]});
    const PreActivations before{.gate = saved[5], .up = saved[6]};
    const auto kept = context->saved_data["rows"].toCapsule();
    const ExpertRows& rows = static_cast<const KeptRows&>(*kept).rows;
    const std::vector<ExpertBlock> blocks = rows.Blocks(before.up.size(1));
    const MixtureGradients found =
        BackwardPass(saved[0], saved[1], experts, before, blocks)
            .Run(rows.Spread(gradients[0].contiguous()));
    variable_list result{rows.Combine(found.x), found.row_gates};
    for (const at::Tensor& gradient : ListOf(found.experts)) {
      result.push_back(gradient);
    }
    result.emplace_back();  // of the rows
    return result;
  }
};

}  // namespace

at::Tensor MixExperts(const at::Tensor& x, const at::Tensor& gates,
                      const ExpertRows& rows, const ExpertParameters& experts) {
  const variable_list weights = ListOf(experts);
  return MixtureFunction::apply(x, rows.GatesByRow(gates),
                                at::TensorList(weights), rows);
}

}  // namespace moeprobe
