#include "core/geometry/principal_components.h"

#include <ATen/core/Tensor.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/linalg_eigvalsh.h>
#include <ATen/ops/linalg_qr.h>
#include <ATen/ops/zeros.h>
#include <c10/core/ScalarType.h>

#include <algorithm>
#include <cstdint>

#include "core/geometry/leading_eigenvectors.h"
#include "core/geometry/symmetric_product.h"

namespace moeprobe {
namespace {

// Bounds the rows held in float64 at once.
constexpr int64_t kRowsPerBlock = 2048;

int64_t RowCount(const CentredRows& rows) {
  return rows.h.size(0) + (rows.extra_row.has_value() ? 1 : 0);
}

at::Tensor Block(const CentredRows& rows, int64_t begin, int64_t end) {
  return rows.h.slice(0, begin, end)
      .to(at::kDouble)
      .mul_(rows.scale.slice(0, begin, end).unsqueeze(1))
      .addr_(rows.centre_scale.slice(0, begin, end), rows.centre, /*beta=*/1,
             /*alpha=*/-1);
}

// [row_count, d].
at::Tensor AllRows(const CentredRows& rows) {
  at::Tensor block = Block(rows, 0, rows.h.size(0));
  if (!rows.extra_row) return block;
  return at::cat({block, rows.extra_row->unsqueeze(0)});
}

// Sum of row row', [d, d].
at::Tensor Scatter(const CentredRows& rows) {
  const int64_t width = rows.h.size(1);
  const at::Tensor sum = at::zeros({width, width}, at::kDouble);
  for (int64_t begin = 0; begin < rows.h.size(0); begin += kRowsPerBlock) {
    const int64_t end = std::min(begin + kRowsPerBlock, rows.h.size(0));
    AddSymmetricProduct(Block(rows, begin, end), sum);
  }
  if (rows.extra_row) {
    AddSymmetricProduct(rows.extra_row->unsqueeze(0), sum);
  }
  MirrorUpperTriangle(sum);
  return sum;
}

// Inner products of the rows of `x`.
at::Tensor Gram(const at::Tensor& x) {
  const at::Tensor sum = at::zeros({x.size(0), x.size(0)}, at::kDouble);
  AddSymmetricProduct(x.t(), sum);
  MirrorUpperTriangle(sum);
  return sum;
}

at::Tensor DescendingEigenvalues(const at::Tensor& matrix) {
  return at::linalg_eigvalsh(matrix).flip(0);
}

// From the covariance's side: eigenvectors of X'X.
PrincipalComponents FromScatter(const CentredRows& rows, int64_t count) {
  const at::Tensor scatter = Scatter(rows);
  const at::Tensor values = DescendingEigenvalues(scatter);
  return {.eigenvalues = values,
          .basis = LeadingEigenvectors(scatter, values, count)};
}

// From the rows' side: if XX' u = lambda u, then X'u is an eigenvector of X'X.
PrincipalComponents FromGram(const CentredRows& rows, int64_t count) {
  const at::Tensor x = AllRows(rows);  // [r, d]
  const at::Tensor gram = Gram(x);
  const at::Tensor values = DescendingEigenvalues(gram);
  const at::Tensor leading = LeadingEigenvectors(gram, values, count);
  const int64_t missing = x.size(1) - x.size(0);
  // QR makes the columns orthonormal to the last bit; it changes their signs at
  // most.
  return {
      .eigenvalues = at::cat({values, at::zeros({missing}, values.options())}),
      .basis = std::get<0>(at::linalg_qr(leading.t().mm(x).t()))};
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

int64_t PrincipalComponentsBytes(int64_t row_count, int64_t width) {
  const int64_t size = std::min(row_count, width);
  const int64_t block = std::min(row_count, std::max(width, kRowsPerBlock));
  // The matrix, its copy in the eigenvalue problem with as much workspace, and
  // the Krylov space; the rows as they are and in float64.
  return 4 * size * size * int64_t{sizeof(double)} +
         (row_count * int64_t{sizeof(float)} +
          block * int64_t{sizeof(double)}) *
             width;
}

}  // namespace moeprobe
