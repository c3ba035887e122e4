#include "core/probe/alignment_replicates.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>
#include <c10/core/ScalarType.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/model/mlp.h"
#include "core/model/mlp_activation.h"
#include "core/probe/activation_rows.h"
#include "core/probe/drawn_rows.h"
#include "core/probe/jacobian_sketch.h"
#include "core/probe/jacobian_sums.h"
#include "core/probe/probe_options.h"
#include "core/probe/random_directions.h"

namespace moeprobe {
namespace {

// docs/decisions/0011 has the error that so many leave.
constexpr int64_t kDirections = 8;

// Bounds the products of all experts' rows with some directions.
constexpr int64_t kMaxSketchBytes = int64_t{1} << 29;

// Replicates whose Jacobians are put together at a time.
constexpr int64_t kReplicatesPerBlock = 64;

// Rows of one expert: of each weighting by window group, then of each drawn
// weighting.
std::vector<ActivationTerms> RowsOf(const JacobianSums& sums,
                                    const DrawnRows& drawn, int64_t expert,
                                    at::ScalarType type) {
  std::vector<ActivationTerms> sets;
  for (size_t w = 0; w < sums.weightings().size(); ++w) {
    const ActivationSums groups = sums.ByGroup(expert, w);
    sets.push_back(
        {.slope = groups.slope.to(type), .value = groups.value.to(type)});
  }
  if (drawn.draw_count == 0) return sets;
  const ActivationRows& others = drawn.experts[static_cast<size_t>(expert)];
  for (size_t w = 0; w < drawn.weightings.size(); ++w) {
    sets.push_back({.slope = others.sums(w).slope.to(type),
                    .value = others.sums(w).value.to(type)});
  }
  return sets;
}

// J_r q of every expert's rows, [E, rows, m, d]: a product for each set of
// rows, which rounds the same whatever the others are.
at::Tensor Sketch(const JacobianSums& sums, const DrawnRows& drawn,
                  const at::Tensor& directions) {
  const at::ScalarType type = directions.scalar_type();
  std::vector<at::Tensor> sketches;
  for (int64_t e = 0; e < sums.expert_count(); ++e) {
    const MlpWeights weights = WeightsAs(sums.Weights(e), type);
    std::vector<at::Tensor> sets;
    for (const ActivationTerms& rows : RowsOf(sums, drawn, e, type)) {
      sets.push_back(SketchOf(
          {.weights = weights, .slope = rows.slope, .value = rows.value},
          directions));
    }
    sketches.push_back(at::cat(sets));
  }
  return at::stack(sketches);
}

// Sums of an expert's rows, `counts` [n, groups] times `x` [E, groups, d], by
// replicate: [n, E, d].
at::Tensor Combine(const at::Tensor& counts, const at::Tensor& x) {
  return at::matmul(counts, x).transpose(0, 1);
}

// Adds what one direction says of the replicates of one weighting. `x` [E,
// groups, d].
void AddReplicates(const at::Tensor& x, const at::Tensor& counts,
                   AlignmentReplicates& replicates) {
  const at::Tensor first = x.sum(1);  // [E, d]
  at::Tensor even = at::zeros_like(counts);
  even.slice(1, 0, counts.size(1), 2).fill_(1);
  for (int64_t begin = 0; begin < counts.size(0);
       begin += kReplicatesPerBlock) {
    const int64_t end = std::min(begin + kReplicatesPerBlock, counts.size(0));
    const at::Tensor some = counts.slice(0, begin, end);
    const at::Tensor mask = even.slice(0, begin, end);
    const at::Tensor a = Combine(some * mask, x);
    const at::Tensor b = Combine(some * (1 - mask), x);
    const at::Tensor whole = a + b;
    const auto add = [&](const at::Tensor& to, const at::Tensor& left,
                         const at::Tensor& right) {
      to.slice(0, begin, end).add_(at::matmul(left, right.mT()));
    };
    add(replicates.whole, whole, whole);
    add(replicates.crossed, a, b);
    add(replicates.even_first, a, first);
    add(replicates.odd_first, b, first);
  }
}

// Where the drawn rows of a weighting begin; -1 if there are none.
int64_t FirstDrawn(const JacobianSums& sums, const DrawnRows& drawn, size_t w) {
  const auto place = std::ranges::find(drawn.weightings, sums.weightings()[w]);
  if (drawn.draw_count == 0 || place == drawn.weightings.end()) return -1;
  return static_cast<int64_t>(sums.weightings().size()) * sums.groups() +
         (place - drawn.weightings.begin()) * drawn.draw_count;
}

// The rows of one weighting, [E, groups, d], in memory of their own: products
// of rows that begin elsewhere may round differently.
at::Tensor GroupRows(const JacobianSums& sums, const at::Tensor& x, size_t w) {
  const int64_t begin = static_cast<int64_t>(w) * sums.groups();
  return x.slice(1, begin, begin + sums.groups()).contiguous();
}

// Adds what one direction says. `x` [E, rows, d] float32 or float64.
void AddDirection(const JacobianSums& sums, const DrawnRows& drawn,
                  const at::Tensor& x, const at::Tensor& counts,
                  std::vector<AlignmentReplicates>& replicates) {
  at::Tensor all;  // of all tokens, [E, d]
  for (size_t w = 0; w < replicates.size(); ++w) {
    const at::Tensor groups = GroupRows(sums, x, w);
    AddReplicates(groups, counts, replicates[w]);
    if (sums.weightings()[w] == Weighting::kAll) all = groups.sum(1);
  }
  for (size_t w = 0; w < replicates.size(); ++w) {
    const int64_t first = FirstDrawn(sums, drawn, w);
    if (first < 0) continue;
    const at::Tensor own = GroupRows(sums, x, w).sum(1, /*keepdim=*/true);
    const at::Tensor y =
        at::cat({own, x.slice(1, first, first + drawn.draw_count)}, 1)
            .transpose(0, 1);  // [1 + draws, E, d]
    replicates[w].drawn.add_(at::matmul(y, y.mT()));
    replicates[w].drawn_all.add_(at::matmul(y, all.mT()));
  }
}

AlignmentReplicates Zeros(int64_t count, int64_t drawn, int64_t experts) {
  const auto zeros = [&](int64_t variants) {
    return at::zeros({variants, experts, experts}, at::kDouble);
  };
  AlignmentReplicates replicates{.whole = zeros(count),
                                 .crossed = zeros(count),
                                 .even_first = zeros(count),
                                 .odd_first = zeros(count)};
  if (drawn == 0) return replicates;
  replicates.drawn = zeros(1 + drawn);
  replicates.drawn_all = zeros(1 + drawn);
  return replicates;
}

}  // namespace

std::vector<AlignmentReplicates> ReplicateAlignments(const JacobianSums& sums,
                                                     const DrawnRows& drawn,
                                                     const at::Tensor& counts,
                                                     int64_t seed) {
  const int64_t width = sums.width();
  const int64_t experts = sums.expert_count();
  at::Tensor directions = RandomDirections(width, kMostExactReplicates,
                                           std::min(kDirections, width), seed);
  if (directions.size(0) < width && sums.StoredInBFloat16()) {
    directions = directions.to(at::kBFloat16);
  }
  std::vector<AlignmentReplicates> replicates;
  for (size_t w = 0; w < sums.weightings().size(); ++w) {
    const bool any = FirstDrawn(sums, drawn, w) >= 0;
    replicates.push_back(
        Zeros(counts.size(0), any ? drawn.draw_count : 0, experts));
  }
  // As if all three weightings were there, so that blocks are the same.
  const int64_t rows = 3 * sums.groups() + 2 * drawn.draw_count;
  const int64_t bytes = experts * rows * width * directions.element_size();
  const at::ScalarType type =
      directions.scalar_type() == at::kDouble ? at::kDouble : at::kFloat;
  for (const at::Tensor& some :
       directions.split(std::max<int64_t>(1, kMaxSketchBytes / bytes))) {
    const at::Tensor sketch = Sketch(sums, drawn, some);  // [E, rows, m, d]
    for (int64_t j = 0; j < some.size(0); ++j) {
      AddDirection(sums, drawn, sketch.select(2, j).to(type), counts.to(type),
                   replicates);
    }
  }
  return replicates;
}

}  // namespace moeprobe
