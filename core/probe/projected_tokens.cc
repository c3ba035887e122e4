#include "core/probe/projected_tokens.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/full.h>
#include <ATen/ops/zeros.h>
#include <c10/core/ScalarType.h>

#include <algorithm>
#include <cstdint>
#include <vector>

#include "core/geometry/leading_directions.h"

namespace moeprobe {
namespace {

constexpr int64_t kRowsPerBlock = 2048;

// Mean of the rows of `h` that count, [d] float64.
at::Tensor Mean(const at::Tensor& h, const at::Tensor& counted) {
  at::Tensor sum = at::zeros({h.size(1)}, at::kDouble);
  const at::Tensor weight = counted.to(at::kDouble);
  for (int64_t begin = 0; begin < h.size(0); begin += kRowsPerBlock) {
    const int64_t end = std::min(begin + kRowsPerBlock, h.size(0));
    sum.addmv_(h.slice(0, begin, end).to(at::kDouble).t(),
               weight.slice(0, begin, end));
  }
  return sum.div_(weight.sum().clamp_min(1));
}

at::Tensor Directions(const at::Tensor& h, const at::Tensor& counted,
                      int64_t dimensions) {
  if (counted.all().item<bool>()) return LeadingDirections(h, dimensions);
  return LeadingDirections(h.index_select(0, counted.nonzero().flatten()),
                           dimensions);
}

at::Tensor Cat(const std::vector<Moments>& parts, at::Tensor Moments::* field) {
  std::vector<at::Tensor> tensors;
  tensors.reserve(parts.size());
  for (const Moments& part : parts) tensors.push_back(part.*field);
  return at::cat(tensors);
}

}  // namespace

ProjectedTokens ProjectTokens(const at::Tensor& h, const at::Tensor& counted,
                              int64_t dimensions) {
  const at::Tensor basis = Directions(h, counted, dimensions);  // [d, m]
  const at::Tensor mean = Mean(h, counted);
  const bool is_exact = dimensions == h.size(1);
  ProjectedTokens result{
      .coordinates = at::empty({h.size(0), dimensions + 1}, at::kFloat),
      .mean = basis.to(at::kDouble).t().mv(mean),
      .rest = at::zeros({h.size(0)}, at::kDouble)};
  result.coordinates.select(1, dimensions).fill_(1);
  for (int64_t begin = 0; begin < h.size(0); begin += kRowsPerBlock) {
    const int64_t end = std::min(begin + kRowsPerBlock, h.size(0));
    // Centred in float64: a mean may dwarf what is around it.
    const at::Tensor rows =
        (h.slice(0, begin, end).to(at::kDouble) - mean).to(at::kFloat);
    const at::Tensor inside = is_exact ? rows : rows.mm(basis);
    result.coordinates.slice(0, begin, end)
        .slice(1, 0, dimensions)
        .copy_(inside);
    if (is_exact) continue;
    result.rest.slice(0, begin, end)
        .copy_(rows.to(at::kDouble).square().sum(1) -
               inside.to(at::kDouble).square().sum(1))
        .clamp_min_(0);
  }
  return result;
}

Moments MomentsOf(const ProjectedTokens& tokens, const at::Tensor& index,
                  const at::Tensor& weight, const at::Tensor& mean_weight) {
  const at::Tensor z = tokens.coordinates.index_select(0, index);
  const at::Tensor rest = tokens.rest.index_select(0, index);
  const at::Tensor wide = weight.to(at::kDouble);
  const int64_t m = z.size(1) - 1;
  Moments moments{
      .second =
          (z * weight.unsqueeze(1)).t().mm(z).to(at::kDouble).unsqueeze(0),
      .first = z.t().mv(mean_weight).to(at::kDouble).unsqueeze(0),
      .rest = rest.dot(wide).unsqueeze(0),
      .rows = at::full({1}, static_cast<double>(index.size(0)), at::kDouble)};
  // Sums of weights are multiplied by the square of the mean, of which little
  // may be left: they have to be right in float64.
  moments.second[0][m][m] = wide.sum();
  moments.first[0][m] = mean_weight.sum(at::kDouble);
  return moments;
}

Moments Concatenate(const std::vector<Moments>& parts) {
  return {.second = Cat(parts, &Moments::second),
          .first = Cat(parts, &Moments::first),
          .rest = Cat(parts, &Moments::rest),
          .rows = Cat(parts, &Moments::rows)};
}

Moments Combine(const Moments& moments, const at::Tensor& counts) {
  const int64_t size = moments.second.size(1);
  return {.second = counts.mm(moments.second.flatten(1))
                        .view({counts.size(0), size, size}),
          .first = counts.mm(moments.first),
          .rest = counts.mv(moments.rest),
          .rows = counts.mv(moments.rows)};
}

}  // namespace moeprobe
