#include "core/geometry/symmetric_product.h"

#include <ATen/core/Tensor.h>

#include <algorithm>
#include <cstdint>

namespace moeprobe {
namespace {

// Narrow enough that little is computed twice, wide enough for products to run
// at full speed.
constexpr int64_t kPanelWidth = 256;

// Calls visit(begin, end) for each panel of the rows of `matrix`.
template <typename Visit>
void ForEachPanel(const at::Tensor& matrix, Visit visit) {
  const int64_t width = matrix.size(0);
  for (int64_t begin = 0; begin < width; begin += kPanelWidth) {
    visit(begin, std::min(begin + kPanelWidth, width));
  }
}

}  // namespace

void AddSymmetricProduct(const at::Tensor& x, const at::Tensor& sum) {
  const int64_t width = sum.size(0);
  ForEachPanel(sum, [&](int64_t begin, int64_t end) {
    sum.slice(0, begin, end)
        .slice(1, begin, width)
        .addmm_(x.slice(1, begin, end).t(), x.slice(1, begin, width));
  });
}

void MirrorUpperTriangle(const at::Tensor& matrix) {
  ForEachPanel(matrix, [&](int64_t begin, int64_t end) {
    const at::Tensor corner = matrix.slice(0, begin, end).slice(1, begin, end);
    corner.copy_(corner.triu().add_(corner.triu(1).t()));
    matrix.slice(0, end, matrix.size(0))
        .slice(1, begin, end)
        .copy_(matrix.slice(0, begin, end).slice(1, end, matrix.size(0)).t());
  });
}

}  // namespace moeprobe
