#include "core/geometry/principal_components.h"

#include <ATen/core/Tensor.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/linalg_eigh.h>
#include <ATen/ops/linalg_qr.h>
#include <ATen/ops/outer.h>
#include <ATen/ops/zeros.h>
#include <c10/core/ScalarType.h>

#include <algorithm>
#include <cstdint>
#include <tuple>

namespace moeprobe {
namespace {

// Bounds the rows held in float64 at once.
constexpr int64_t kRowsPerBlock = 2048;

int64_t RowCount(const CentredRows& rows) {
  return rows.h.size(0) + (rows.extra_row.has_value() ? 1 : 0);
}

at::Tensor Block(const CentredRows& rows, int64_t begin, int64_t end) {
  const at::Tensor scale = rows.scale.slice(0, begin, end).unsqueeze(1);
  const at::Tensor offset =
      at::outer(rows.centre_scale.slice(0, begin, end), rows.centre);
  return rows.h.slice(0, begin, end).to(at::kDouble).mul_(scale).sub_(offset);
}

at::Tensor AllRows(const CentredRows& rows) {
  const at::Tensor block = Block(rows, 0, rows.h.size(0));
  if (!rows.extra_row) return block;
  return at::cat({block, rows.extra_row->unsqueeze(0)});
}

// Sum of row row', [d, d].
at::Tensor Scatter(const CentredRows& rows) {
  const int64_t width = rows.h.size(1);
  at::Tensor sum = at::zeros({width, width}, at::kDouble);
  for (int64_t begin = 0; begin < rows.h.size(0); begin += kRowsPerBlock) {
    const int64_t end = std::min(begin + kRowsPerBlock, rows.h.size(0));
    const at::Tensor block = Block(rows, begin, end);
    sum.addmm_(block.t(), block);
  }
  if (rows.extra_row) sum.add_(at::outer(*rows.extra_row, *rows.extra_row));
  return sum;
}

// From the covariance's side: eigenvectors of X'X.
PrincipalComponents FromScatter(const CentredRows& rows, int64_t count) {
  const auto [values, vectors] = at::linalg_eigh(Scatter(rows));
  return {.eigenvalues = values.flip(0),
          .basis = vectors.narrow(1, vectors.size(1) - count, count).flip(1)};
}

// From the rows' side: if XX' u = lambda u, then X'u is an eigenvector of X'X.
PrincipalComponents FromGram(const CentredRows& rows, int64_t count) {
  const at::Tensor x = AllRows(rows);  // [r, d]
  const auto [values, vectors] = at::linalg_eigh(x.mm(x.t()));
  const at::Tensor leading =
      vectors.narrow(1, vectors.size(1) - count, count).flip(1);
  // QR makes the columns orthonormal to the last bit; it changes their signs at
  // most.
  return {.eigenvalues =
              at::cat({values.flip(0),
                       at::zeros({x.size(1) - x.size(0)}, values.options())}),
          .basis = std::get<0>(at::linalg_qr(x.t().mm(leading)))};
}

}  // namespace

PrincipalComponents FindPrincipalComponents(const CentredRows& rows,
                                            int64_t component_count) {
  const int64_t row_count = RowCount(rows);
  const bool few = row_count < rows.h.size(1) && row_count >= component_count;
  PrincipalComponents result = few ? FromGram(rows, component_count)
                                   : FromScatter(rows, component_count);
  result.eigenvalues = result.eigenvalues.clamp_min(0).div(rows.divisor);
  return result;
}

}  // namespace moeprobe
