#include "core/probe/averaged_jacobian.h"

#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/zeros.h>
#include <c10/core/ScalarType.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "absl/functional/function_ref.h"
#include "core/checkpoint/checkpoint.h"
#include "core/model/weight.h"

namespace moeprobe {
namespace {

constexpr int64_t kMaxRowBytes = int64_t{1} << 30;  // of all J's rows together
constexpr int64_t kHiddenUnitsPerBlock = 256;       // stays in the cache
constexpr int64_t kColumnsPerSum = int64_t{1} << 16;

// Memory for the factors of one J at a time, kept from one to the next: they
// are as large as an expert's weights.
class FactorBuffers {
 public:
  // Returns `rows` x `columns` float32, not initialised, where the last side
  // was.
  at::Tensor Side(int64_t rows, int64_t columns) {
    return Shaped(side_, rows, columns);
  }

  // As Side(), for the rows of W_down.
  at::Tensor Down(int64_t rows, int64_t columns) {
    return Shaped(down_, rows, columns);
  }

 private:
  static at::Tensor Shaped(at::Tensor& memory, int64_t rows, int64_t columns) {
    const int64_t size = rows * columns;
    if (!memory.defined() || memory.numel() < size) {
      memory = at::empty({size}, at::kFloat);
    }
    return memory.narrow(0, 0, size).view({rows, columns});
  }

  at::Tensor side_;
  at::Tensor down_;
};

// diag(slope) W_gate + diag(value) W_up, or the first of them, [f, d] float32,
// in one pass over the weights where they are mapped.
at::Tensor InputSide(const AveragedJacobian& jacobian, FactorBuffers& buffers) {
  const at::Tensor gate = StoredWeight(jacobian.weights->gate);
  std::optional<at::Tensor> up;
  if (jacobian.weights->up) up = StoredWeight(*jacobian.weights->up);
  const at::Tensor slope = jacobian.slope.to(at::kFloat).unsqueeze(1);
  const at::Tensor value = jacobian.value.to(at::kFloat).unsqueeze(1);
  at::Tensor side = buffers.Side(gate.size(0), gate.size(1));
  for (int64_t begin = 0; begin < gate.size(0); begin += kHiddenUnitsPerBlock) {
    const int64_t end = std::min(begin + kHiddenUnitsPerBlock, gate.size(0));
    const at::Tensor block = side.slice(0, begin, end);
    block.copy_(gate.slice(0, begin, end)).mul_(slope.slice(0, begin, end));
    if (!up) continue;
    block.addcmul_(up->slice(0, begin, end).to(at::kFloat),
                   value.slice(0, begin, end));
  }
  return side;
}

void JacobianRowsInto(const AveragedJacobian& jacobian, int64_t begin,
                      int64_t end, FactorBuffers& buffers, at::Tensor rows) {
  const at::Tensor stored =
      StoredWeight(jacobian.weights->down).slice(0, begin, end);
  const at::Tensor down = buffers.Down(stored.size(0), stored.size(1));
  down.copy_(stored);
  at::mm_out(rows, down, InputSide(jacobian, buffers));
}

// Adds x x' to `gram` in float64, from float32 `x` [E, columns].
void AddGram(const at::Tensor& x, at::Tensor& gram) {
  for (const at::Tensor& columns : x.split(kColumnsPerSum, 1)) {
    const at::Tensor wide = columns.to(at::kDouble);
    gram.addmm_(wide, wide.t());
  }
}

}  // namespace

at::Tensor JacobianRows(const AveragedJacobian& jacobian, int64_t begin,
                        int64_t end) {
  const int64_t width = jacobian.weights->gate.shape[1];
  at::Tensor rows = at::empty({end - begin, width}, at::kFloat);
  FactorBuffers buffers;
  JacobianRowsInto(jacobian, begin, end, buffers, rows);
  return rows;
}

JacobianBlocks::JacobianBlocks(const std::vector<AveragedJacobian>& jacobians)
    : jacobians_(jacobians) {
  if (jacobians.empty()) return;
  width_ = jacobians[0].weights->gate.shape[1];
  const int64_t row_bytes = count() * width_ * int64_t{sizeof(float)};
  height_ = std::clamp<int64_t>(kMaxRowBytes / row_bytes, 1, width_);
  memory_ = at::empty({count() * height_ * width_}, at::kFloat);
}

void JacobianBlocks::ForEach(
    absl::FunctionRef<void(int64_t, const at::Tensor&)> visit) {
  FactorBuffers buffers;
  for (int64_t begin = 0; begin < width_; begin += height_) {
    const int64_t end = std::min(begin + height_, width_);
    const at::Tensor rows =
        memory_.narrow(0, 0, count() * (end - begin) * width_)
            .view({count(), end - begin, width_});
    for (int64_t e = 0; e < count() && kept_ != begin; ++e) {
      JacobianRowsInto(jacobians_[static_cast<size_t>(e)], begin, end, buffers,
                       rows[e]);
    }
    kept_ = begin;
    visit(begin, rows);
  }
}

at::Tensor JacobianGram(JacobianBlocks& blocks) {
  at::Tensor gram = at::zeros({blocks.count(), blocks.count()}, at::kDouble);
  blocks.ForEach(
      [&](int64_t, const at::Tensor& rows) { AddGram(rows.flatten(1), gram); });
  return gram;
}

at::Tensor JacobianGram(const std::vector<AveragedJacobian>& jacobians) {
  JacobianBlocks blocks(jacobians);
  return JacobianGram(blocks);
}

}  // namespace moeprobe
