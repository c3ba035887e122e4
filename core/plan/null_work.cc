#include "core/plan/null_work.h"

#include <algorithm>
#include <cstdint>

#include "core/checkpoint/model_config.h"
#include "core/plan/layer_sizes.h"
#include "core/plan/probe_counts.h"
#include "core/plan/useful_work.h"

namespace moeprobe {
namespace {

// As the probes have them.
constexpr double kWindowGroups = 64;
constexpr double kReplicateDirections = 8;
constexpr double kSampleDirections = 64;
constexpr double kMatchedDraws = 20;
constexpr double kFewExperts = 16;
constexpr double kReplicateWidth = 256;  // of PCAs, where experts are few
constexpr double kNarrowReplicateWidth = 160;

constexpr double kReplicatesAtOnce = 64;
constexpr double kMatricesOfReplicate = 7.5;
constexpr double kMaxLoopBytes = 1 << 30;

// Small eigenproblems with all vectors, beside large ones without, as measured.
constexpr double kDecompositionFactor = 2;

// Products of a few hundred columns on one thread each, with their gathers,
// beside large ones.
constexpr double kMomentsFactor = 4;

// Passes over a router's logits until its loads fit, as measured, each as dear
// as so many operations of a product.
constexpr double kFittingOperations = 8000;

// What products of gradients take with the elementwise ones behind them, and
// products of single tokens' Jacobians with their norms, beside the products
// alone; as measured at Mixtral's and Qwen1.5-MoE's shapes.
constexpr double kGradientFactor = 3;
constexpr double kAlignmentFactor = 2;

// Dimensions that replicates of PCAs live in.
double PcaWidth(const LayerSizes& s) {
  return std::min(s.width, s.experts <= kFewExperts ? kReplicateWidth
                                                    : kNarrowReplicateWidth);
}

// One product of an expert's matrix with a vector.
double Product(const LayerSizes& s) { return 2 * s.expert_width * s.width; }

double Decomposition(double size) {
  return kDecompositionFactor * 4.0 / 3.0 * size * size * size;
}

UsefulWork RouterWork(const LayerSizes& s, double draws) {
  UsefulWork work;
  work.float32 =
      draws * s.tokens * s.experts * (2 * s.width + kFittingOperations);
  return work;
}

// Gradients, drawn rows and sketches; see docs/decisions/0011.
UsefulWork AlignmentWork(const LayerSizes& s, TokenCounts counts,
                         const ProbeCounts& probes) {
  const auto weightings = static_cast<double>(probes.weightings);
  const auto routings = static_cast<double>(probes.routings);
  const auto replicates = static_cast<double>(probes.bootstrap + 1);
  const double groups = std::min(
      kWindowGroups, s.tokens / static_cast<double>(counts.sequence_length));
  const double drawn = probes.all_tokens ? (weightings - 1) * routings : 0;
  UsefulWork work;
  work.forward =
      s.experts *
      (kGradientFactor * weightings * Product(s) * s.width +
       (weightings * groups + drawn) * kReplicateDirections * Product(s));
  work.float32 =
      s.experts * (2 * (s.matrices - 1) * drawn * s.tokens * s.expert_width +
                   kReplicateDirections * weightings * replicates *
                       (4 * groups + 8 * s.experts) * s.width);
  return work;
}

UsefulWork PcaReplicateWork(const LayerSizes& s, const ProbeCounts& probes) {
  const auto conventions = static_cast<double>(probes.conventions);
  const auto routings = static_cast<double>(probes.routings);
  const auto replicates = static_cast<double>(probes.bootstrap + 3);
  const double square = PcaWidth(s) * PcaWidth(s);
  UsefulWork work;
  work.float32 = 2 * s.tokens * s.width * PcaWidth(s) +
                 kMomentsFactor * conventions * (1 + routings) * 2 * s.tokens *
                     s.active * square;
  work.float64 =
      conventions * s.experts * replicates * 2 * kWindowGroups * square;
  work.eigen = conventions * s.experts * (replicates + routings) *
               Decomposition(PcaWidth(s));
  return work;
}

}  // namespace

UsefulWork NullWork(const ModelConfig& model, const LayerConfig& layer,
                    TokenCounts counts, const ProbeCounts& probes) {
  UsefulWork work;
  if (probes.routings + probes.bootstrap == 0) return work;
  const LayerSizes sizes = SizesOf(model, layer, counts.tokens);
  if (layer.is_moe) {
    work += RouterWork(sizes, static_cast<double>(probes.routings));
    if (probes.weightings > 0) work += AlignmentWork(sizes, counts, probes);
  }
  if (probes.conventions > 0) work += PcaReplicateWork(sizes, probes);
  return work;
}

double NullBytes(const ModelConfig& model, const LayerConfig& layer,
                 TokenCounts counts, const ProbeCounts& probes, int threads) {
  if (probes.routings + probes.bootstrap == 0) return 0;
  const LayerSizes s = SizesOf(model, layer, counts.tokens);
  // Scores, their order and gates; who is chosen.
  double bytes = static_cast<double>(probes.routings) * s.tokens *
                 (12 * s.experts + 12 * s.active);
  if (probes.conventions > 0) {
    const double groups = std::min(
        kWindowGroups, s.tokens / static_cast<double>(counts.sequence_length));
    const double each = 8 * PcaWidth(s) * PcaWidth(s) *
                        (groups + kReplicatesAtOnce * kMatricesOfReplicate);
    bytes += std::min(kMaxLoopBytes, std::max(1, threads) * each);
  }
  return bytes;
}

UsefulWork SampleWork(const ModelConfig& model, const LayerConfig& layer,
                      TokenCounts counts, const ProbeCounts& probes) {
  UsefulWork work;
  if (!layer.is_moe) return work;
  const LayerSizes s = SizesOf(model, layer, counts.tokens);
  const double sketch = kSampleDirections * Product(s);
  const auto tokens = static_cast<double>(probes.aligned_tokens);
  if (tokens > 0) {
    work.float32 +=
        kAlignmentFactor * s.experts * sketch * (s.matrices - 1 + tokens);
  }
  work.float32 += s.experts * sketch * (s.matrices + 1) *
                  static_cast<double>(probes.weightings);
  if (probes.conventions == 0) return work;
  const double load = s.tokens * s.active / s.experts;
  work += PcaWork(model.width, {static_cast<int64_t>(load)});
  work.float32 += kMomentsFactor * kMatchedDraws * s.experts * 2 * load *
                  PcaWidth(s) * PcaWidth(s);
  work.eigen += kMatchedDraws * s.experts * Decomposition(PcaWidth(s));
  return work;
}

}  // namespace moeprobe
