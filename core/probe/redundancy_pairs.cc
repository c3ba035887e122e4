#include "core/probe/redundancy_pairs.h"

#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <c10/core/ScalarType.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "core/base/array_entries.h"
#include "core/geometry/rank_correlation.h"
#include "core/probe/probe_result.h"
#include "core/tensor/tensor_array.h"

namespace moeprobe {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

// A quantity of all pairs, [E, E]; empty where it was not computed.
using PairMatrix = std::vector<double>;

PairMatrix MatrixNamed(const ProbeResult& computed, const std::string& name) {
  for (const NamedArray& named : computed.arrays) {
    if (named.name != name) continue;
    return EntriesOf<double>(named.array);
  }
  return {};
}

PairMatrix Alignments(const ProbeResult& computed, const std::string& prefix) {
  PairMatrix all = MatrixNamed(computed, prefix + "jacobian_cosine/all");
  return all.empty() ? MatrixNamed(computed, prefix + "jacobian_cosine/routed")
                     : all;
}

double Entry(const PairMatrix& matrix, int64_t index) {
  return matrix.empty() ? kNaN : matrix[static_cast<size_t>(index)];
}

// Adds the rank of each pair by a quantity, largest first, to `sums`; whether
// any pair has the quantity.
bool AddRanks(const std::vector<ExpertPair>& pairs, double ExpertPair::* value,
              std::vector<double>& sums) {
  std::vector<double> numbers;
  numbers.reserve(pairs.size());
  for (const ExpertPair& pair : pairs) numbers.push_back(-(pair.*value));
  const auto is_nan = [](double number) { return std::isnan(number); };
  if (std::ranges::all_of(numbers, is_nan)) return false;
  const std::vector<double> ranks = MidRanks(numbers);
  for (size_t i = 0; i < pairs.size(); ++i) {
    sums[i] += is_nan(ranks[i]) ? static_cast<double>(pairs.size()) : ranks[i];
  }
  return true;
}

// For each pair the sum of its ranks in function.
std::vector<double> RankSums(const std::vector<ExpertPair>& pairs) {
  std::vector<double> sums(pairs.size());
  const bool aligned = AddRanks(pairs, &ExpertPair::alignment, sums);
  const bool similar = AddRanks(pairs, &ExpertPair::output_similarity, sums);
  if (!aligned && !similar) {
    AddRanks(pairs, &ExpertPair::weight_overlap, sums);
  }
  return sums;
}

std::vector<ExpertPair> AllPairs(const ProbeResult& computed,
                                 const std::string& prefix,
                                 int64_t expert_count) {
  const auto matrix = [&](const char* name) {
    return MatrixNamed(computed, prefix + name);
  };
  const PairMatrix alignment = Alignments(computed, prefix);
  const PairMatrix similarity = matrix("output_similarity");
  const PairMatrix distance = matrix("grassmann/routed");
  const PairMatrix overlap = matrix("weight_overlap/input");
  std::vector<ExpertPair> pairs;
  for (int64_t i = 0; i < expert_count; ++i) {
    for (int64_t j = i + 1; j < expert_count; ++j) {
      const int64_t index = i * expert_count + j;
      pairs.push_back({.first = i,
                       .second = j,
                       .alignment = Entry(alignment, index),
                       .output_similarity = Entry(similarity, index),
                       .distance = Entry(distance, index),
                       .weight_overlap = Entry(overlap, index)});
    }
  }
  return pairs;
}

}  // namespace

std::vector<ExpertPair> RankPairs(const ProbeResult& computed,
                                  const std::string& prefix,
                                  int64_t expert_count) {
  const std::vector<ExpertPair> pairs =
      AllPairs(computed, prefix, expert_count);
  const std::vector<double> sums = RankSums(pairs);
  std::vector<size_t> order(pairs.size());
  std::iota(order.begin(), order.end(), 0);
  std::ranges::sort(order, {}, [&](size_t i) { return std::pair(sums[i], i); });
  std::vector<ExpertPair> ranked;
  ranked.reserve(pairs.size());
  for (const size_t i : order) ranked.push_back(pairs[i]);
  return ranked;
}

ProbeResult RedundancyPairs(const ProbeResult& computed, int64_t expert_count) {
  const std::vector<ExpertPair> ranked = RankPairs(computed, "", expert_count);
  const int64_t count =
      std::min(kMostPairs, static_cast<int64_t>(ranked.size()));
  const at::Tensor pairs = at::empty({count, 2}, at::kLong);
  const at::Tensor scores = at::empty({count, 4}, at::kDouble);
  for (int64_t i = 0; i < count; ++i) {
    const ExpertPair& pair = ranked[static_cast<size_t>(i)];
    pairs[i][0] = pair.first;
    pairs[i][1] = pair.second;
    scores[i][0] = pair.alignment;
    scores[i][1] = pair.output_similarity;
    scores[i][2] = pair.distance;
    scores[i][3] = pair.weight_overlap;
  }
  ProbeResult result;
  const auto add = [&](const char* name, const at::Tensor& value) {
    result.arrays.push_back(
        {.name = name, .probe = "redundancy/pairs", .array = ToArray(value)});
  };
  add("redundancy_pairs", pairs);
  add("redundancy_scores", scores);
  return result;
}

}  // namespace moeprobe
