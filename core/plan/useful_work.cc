#include "core/plan/useful_work.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/checkpoint/model_config.h"
#include "core/plan/layer_sizes.h"

namespace moeprobe {
namespace {

// Of spectra and the router term: see the probes.
constexpr int64_t kMostDecomposedRank = 384;
constexpr int64_t kVectors = 150;
constexpr int64_t kMostDirections = 512;

double Product(int64_t rows, int64_t columns, int64_t inner) {
  return 2.0 * static_cast<double>(rows) * static_cast<double>(columns) *
         static_cast<double>(inner);
}

// x x' for x [size, inner]: one triangle.
double SymmetricProduct(int64_t size, int64_t inner) {
  return static_cast<double>(size) * static_cast<double>(size + 1) *
         static_cast<double>(inner);
}

// All eigenvalues of a symmetric matrix: its reduction to a tridiagonal one.
double Eigenproblem(int64_t size) {
  const auto n = static_cast<double>(size);
  return 4.0 / 3.0 * n * n * n;
}

// Pairs of positions in which one looks at the other, over all windows.
double AttendedPairs(const LayerConfig& layer, TokenCounts counts) {
  const int64_t length = counts.sequence_length;
  const int64_t window =
      std::min(layer.sliding_window.value_or(length), length);
  const int64_t pairs =
      window * (window + 1) / 2 + (length - window) * window;  // a window's
  const int64_t windows = counts.tokens / length;
  return static_cast<double>(windows) * static_cast<double>(pairs);
}

double AttentionWork(const ModelConfig& model, const LayerConfig& layer,
                     TokenCounts counts) {
  const AttentionConfig& attention = model.attention;
  const int64_t query = attention.head_count * attention.head_width;
  const int64_t key = attention.key_value_head_count * attention.head_width;
  const double projections =
      Product(counts.tokens, 2 * query + 2 * key, model.width);
  const double scores_and_mixing =
      2 * 2.0 * AttendedPairs(layer, counts) * static_cast<double>(query);
  return projections + scores_and_mixing;
}

// The widths f of a layer's Jacobians: its experts, or its dense MLP.
std::vector<int64_t> ExpertWidths(const ModelConfig& model,
                                  const LayerConfig& layer) {
  if (!layer.is_moe) return {layer.dense_width};
  return std::vector<int64_t>(static_cast<size_t>(model.experts.count),
                              model.experts.width);
}

// Of an MLP's products, one for each matrix, how many are computed.
double ProductCount(const ModelConfig& model, ExpertPart part) {
  const auto all = static_cast<double>(MatrixCount(model));
  switch (part) {
    case ExpertPart::kNothing:
      return 0;
    case ExpertPart::kPreActivations:
      return all - 1;
    case ExpertPart::kOutput:
      return all;
  }
  return 0;
}

}  // namespace

UsefulWork& UsefulWork::operator+=(const UsefulWork& other) {
  forward += other.forward;
  float32 += other.float32;
  float64 += other.float64;
  eigen += other.eigen;
  return *this;
}

UsefulWork ForwardWork(const ModelConfig& model, const LayerConfig& layer,
                       TokenCounts counts, ExpertPart part) {
  const ExpertConfig& experts = model.experts;
  const int64_t active_width =
      layer.is_moe ? experts.per_token * experts.width + experts.shared_width
                   : layer.dense_width;
  UsefulWork work;
  work.forward = AttentionWork(model, layer, counts) +
                 ProductCount(model, part) *
                     Product(counts.tokens, active_width, model.width);
  if (layer.is_moe) {
    work.float32 =
        Product(counts.tokens, experts.count, model.width);  // router
  }
  return work;
}

UsefulWork JacobianWork(const ModelConfig& model, const LayerConfig& layer,
                        TokenCounts counts, int64_t weighting_count,
                        bool all_tokens) {
  const ExpertConfig& experts = model.experts;
  const std::vector<int64_t> widths = ExpertWidths(model, layer);
  const auto expert_count = static_cast<int64_t>(widths.size());
  UsefulWork work;
  for (const int64_t width : widths) {
    work.float32 += static_cast<double>(weighting_count) *
                    Product(model.width, model.width, width);
  }
  work.float64 = static_cast<double>(weighting_count) *
                 SymmetricProduct(expert_count, model.width * model.width);
  if (!all_tokens || !layer.is_moe) return work;
  work.forward = ProductCount(model, ExpertPart::kPreActivations) *
                 Product(counts.tokens * (experts.count - experts.per_token),
                         experts.width, model.width);
  if (experts.shared_width > 0) {
    work.float32 += Product(model.width, model.width, experts.shared_width);
  }
  return work;
}

UsefulWork PcaWork(int64_t width, const std::vector<int64_t>& token_counts) {
  UsefulWork work;
  for (const int64_t count : token_counts) {
    const int64_t size = std::min(count, width);
    work.float64 += SymmetricProduct(size, std::max(count, width));
    work.eigen += Eigenproblem(size);
  }
  return work;
}

UsefulWork SpectraWork(const ModelConfig& model, const LayerConfig& layer,
                       int64_t tokens_per_expert) {
  const auto tokens = static_cast<double>(tokens_per_expert);
  const auto matrices = static_cast<double>(MatrixCount(model));
  // Pairs of W_gate and W_up, both ways, and W_down'W_down.
  const double squares = matrices == 3 ? 2.5 : 1;
  UsefulWork work;
  for (const int64_t width : ExpertWidths(model, layer)) {
    const int64_t rank = std::min(width, model.width);
    if (rank <= kMostDecomposedRank) {
      work.float64 += tokens * Product(rank, model.width, width);
      work.eigen += tokens * Eigenproblem(rank);
    } else {
      const double built =
          tokens * (Product(model.width, model.width, width) +
                    2 * Product(kVectors, model.width, model.width));
      const double multiplied =
          squares * Product(width, width, model.width) +
          tokens * 2 * matrices * Product(kVectors, width, model.width);
      work.float32 += std::min(built, multiplied);
    }
  }
  return work;
}

UsefulWork RouterTermWork(const ModelConfig& model, const LayerConfig& layer,
                          int64_t tokens) {
  if (!layer.is_moe) return {};
  const ExpertConfig& experts = model.experts;
  const int64_t directions = std::min(model.width, kMostDirections);
  const double product = Product(directions, experts.width, model.width);
  UsefulWork work;
  work.float32 = (ProductCount(model, ExpertPart::kPreActivations) *
                      static_cast<double>(experts.count) +
                  static_cast<double>(tokens * experts.per_token)) *
                 product;
  return work;
}

}  // namespace moeprobe
