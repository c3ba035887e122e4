#include "core/probe/token_spectra.h"

#include <ATen/core/Tensor.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/linalg_qr.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/zeros.h>
#include <c10/core/ScalarType.h>

#include <algorithm>
#include <cstdint>
#include <vector>

#include "core/checkpoint/checkpoint.h"
#include "core/geometry/leading_singular_values.h"
#include "core/model/mlp.h"
#include "core/probe/averaged_jacobian.h"
#include "core/probe/token_jacobians.h"

namespace moeprobe {
namespace {

// Tokens whose Krylov spaces grow together: enough for products at full speed.
constexpr int64_t kTokensPerGroup = 16;

// Vectors that it takes a Jacobian to converge, roughly.
constexpr double kTypicalVectors = 160;

// Bounds the matrices of tokens that are decomposed together.
constexpr int64_t kMaxDenseBytes = int64_t{1} << 28;

// W_down, or a matrix [f, f] with the same W_down'W_down where that is smaller:
// an orthogonal factor in front of a matrix changes no singular value.
at::Tensor OutputSide(const at::Tensor& down) {
  if (down.size(1) >= down.size(0)) return down;
  return std::get<1>(at::linalg_qr(down, "r"));
}

JacobianSpectra Decompose(const MlpTensors& tensors, const at::Tensor& x,
                          int64_t count) {
  const MlpWeights weights = WeightsAs(tensors, at::kDouble);
  const at::Tensor output_side = OutputSide(weights.down);
  const int64_t floats = weights.gate.numel() + output_side.size(0) * x.size(1);
  const int64_t group =
      std::max<int64_t>(1, kMaxDenseBytes / (floats * int64_t{sizeof(double)}));
  std::vector<at::Tensor> values;
  std::vector<at::Tensor> norms;
  for (const at::Tensor& tokens : x.split(group)) {
    const at::Tensor all = AllSingularValues(
        at::matmul(output_side, InputSides(JacobiansAt(weights, tokens))));
    values.push_back(all.slice(1, 0, count));
    norms.push_back(all.square().sum(1));
  }
  return {.values = at::cat(values),
          .norm_squared = at::cat(norms),
          .error = at::zeros({x.size(0)}, at::kDouble)};
}

LeadingSingularValues FindInMatrix(const at::Tensor& matrix, int64_t count,
                                   int64_t seed) {
  const at::Tensor one = matrix.unsqueeze(0);  // [1, d, d]
  return FindLeadingSingularValues(
      {.count = 1,
       .width = matrix.size(1),
       .apply = [&](const at::Tensor& v) { return v.bmm(one.mT()); },
       .apply_transposed = [&](const at::Tensor& v) { return v.bmm(one); }},
      count, KrylovDimensions(count), seed);
}

// Where the tokens are few: their Jacobians one by one.
JacobianSpectra IterateBuilt(const MlpTensors& tensors, const at::Tensor& x,
                             int64_t count, int64_t seed) {
  const TokenJacobians jacobians =
      JacobiansAt(WeightsAs(tensors, at::kFloat), x);
  std::vector<at::Tensor> values;
  std::vector<at::Tensor> norms;
  std::vector<at::Tensor> errors;
  int64_t vectors = 0;
  for (int64_t i = 0; i < x.size(0); ++i) {
    const at::Tensor matrix = JacobianOf(jacobians, i);
    const LeadingSingularValues found = FindInMatrix(matrix, count, seed);
    values.push_back(found.values);
    norms.push_back(matrix.square().sum(at::kDouble));
    errors.push_back(found.error);
    vectors = std::max(vectors, found.vectors);
  }
  return {.values = at::cat(values),
          .norm_squared = at::stack(norms),
          .error = at::cat(errors),
          .vectors = vectors};
}

JacobianSpectra IterateFactored(const MlpTensors& tensors, const at::Tensor& x,
                                int64_t count, int64_t seed) {
  const MlpWeights weights = WeightsAs(tensors, at::kFloat);
  std::vector<at::Tensor> values;
  std::vector<at::Tensor> errors;
  int64_t vectors = 0;
  for (const at::Tensor& tokens : x.split(kTokensPerGroup)) {
    const TokenJacobians jacobians = JacobiansAt(weights, tokens);
    const LeadingSingularValues found = FindLeadingSingularValues(
        {.count = tokens.size(0),
         .width = tokens.size(1),
         .apply = [&](const at::Tensor& v) { return Apply(jacobians, v); },
         .apply_transposed =
             [&](const at::Tensor& v) {
               return ApplyTransposed(jacobians, v);
             }},
        count, KrylovDimensions(count), seed);
    values.push_back(found.values);
    errors.push_back(found.error);
    vectors = std::max(vectors, found.vectors);
  }
  return {.values = at::cat(values),
          .norm_squared = NormsSquared(JacobiansAt(weights, x)),
          .error = at::cat(errors),
          .vectors = vectors};
}

}  // namespace

bool AreBuilt(const MlpTensors& tensors, int64_t tokens) {
  const auto d = static_cast<double>(tensors.gate.shape[1]);
  const auto f = static_cast<double>(tensors.gate.shape[0]);
  const auto n = static_cast<double>(tokens);
  const double built = n * (2 * d * d * f + 4 * d * d * kTypicalVectors);
  const double norms = (tensors.up ? 5 : 2) * f * f * d;
  const double matrices = tensors.up ? 3 : 2;
  return built < norms + n * matrices * 4 * d * f * kTypicalVectors;
}

int64_t SpectrumLength(const MlpTensors& tensors, int64_t top) {
  return std::min({top, tensors.gate.shape[0], tensors.gate.shape[1]});
}

JacobianSpectra SpectraAtTokens(const MlpTensors& tensors, const at::Tensor& x,
                                int64_t top, int64_t seed) {
  const int64_t rank = std::min(tensors.gate.shape[0], tensors.gate.shape[1]);
  const int64_t count = SpectrumLength(tensors, top);
  if (rank <= KrylovDimensions(count)) return Decompose(tensors, x, count);
  return AreBuilt(tensors, x.size(0))
             ? IterateBuilt(tensors, x, count, seed)
             : IterateFactored(tensors, x, count, seed);
}

JacobianSpectra SpectrumOfAverage(const AveragedJacobian& jacobian, int64_t top,
                                  int64_t seed) {
  const int64_t width = jacobian.weights->gate.shape[1];
  const int64_t count = SpectrumLength(*jacobian.weights, top);
  const at::Tensor matrix = JacobianRows(jacobian, 0, width);  // [d, d]
  if (width <= KrylovDimensions(count)) {
    return {.values = AllSingularValues(matrix.to(at::kDouble).unsqueeze(0))
                          .slice(1, 0, count),
            .error = at::zeros({1}, at::kDouble)};
  }
  const LeadingSingularValues found = FindInMatrix(matrix, count, seed);
  return {
      .values = found.values, .error = found.error, .vectors = found.vectors};
}

}  // namespace moeprobe
