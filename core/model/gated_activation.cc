#include "core/model/gated_activation.h"

#include <ATen/Parallel.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/zeros.h>
#include <c10/core/ScalarType.h>
#include <c10/util/Exception.h>

#include <algorithm>
#include <cstdint>

#include "core/model/gated_activation_kernel.h"

namespace moeprobe {
namespace {

// The kernel reads bfloat16 as bits.
template <typename Element>
Element* Data(const at::Tensor& tensor) {
  return static_cast<Element*>(tensor.data_ptr());
}

template <typename Element>
void Run(const at::Tensor& gate, const at::Tensor& up, const at::Tensor& rows,
         const at::Tensor& output, const at::Tensor& weights,
         ActivationSums* sums) {
  const ActivationBlock<Element> block{
      .gate = Data<Element>(gate),
      .up = Data<Element>(up),
      .output = Data<Element>(output),
      .rows = rows.const_data_ptr<int64_t>(),
      .weights = sums ? weights.const_data_ptr<float>() : nullptr,
      .slope = sums ? Data<double>(sums->slope) : nullptr,
      .value = sums ? Data<double>(sums->value) : nullptr,
      .tokens = gate.size(0),
      .stride = gate.size(1),
      .weightings = sums ? weights.size(0) : 0};
  const int64_t tiles = (block.stride + kActivationTile - 1) / kActivationTile;
  at::parallel_for(0, tiles, 1, [&](int64_t begin, int64_t end) {
    for (int64_t tile = begin; tile < end; ++tile) {
      const int64_t column = tile * kActivationTile;
      GatedActivationTile(block, column,
                          std::min(kActivationTile, block.stride - column));
    }
  });
}

}  // namespace

ActivationSums ZeroActivationSums(int64_t weightings, int64_t width) {
  return {.slope = at::zeros({weightings, width}, at::kDouble),
          .value = at::zeros({weightings, width}, at::kDouble)};
}

void ApplyGatedActivation(const at::Tensor& gate, const at::Tensor& up,
                          const at::Tensor& rows, const at::Tensor& output,
                          const at::Tensor& weights, ActivationSums* sums) {
  TORCH_CHECK(gate.is_contiguous() && up.is_contiguous() &&
                  output.is_contiguous() && weights.is_contiguous(),
              "activation blocks must be contiguous");
  TORCH_CHECK(weights.size(0) <= kMaxWeightings, "at most ", kMaxWeightings,
              " weightings, got ", weights.size(0));
  if (gate.scalar_type() == at::kBFloat16) {
    Run<uint16_t>(gate, up, rows, output, weights, sums);
  } else {
    Run<float>(gate, up, rows, output, weights, sums);
  }
}

}  // namespace moeprobe
