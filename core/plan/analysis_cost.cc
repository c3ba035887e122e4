#include "core/plan/analysis_cost.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "core/checkpoint/checkpoint.h"
#include "core/checkpoint/model_config.h"
#include "core/checkpoint/tensor_view.h"
#include "core/plan/itinerary.h"
#include "core/plan/layer_sizes.h"
#include "core/plan/machine_rates.h"
#include "core/plan/null_work.h"
#include "core/plan/probe_counts.h"
#include "core/plan/useful_work.h"

namespace moeprobe {
namespace {

// What a layer, an expert's part in it and a probe of an expert take however
// small they are: starting some dozens of operations, and committing what was
// found. As measured with models of a few thousand weights.
constexpr double kSecondsPerLayer = 0.02;
constexpr double kSecondsPerExpert = 0.001;
constexpr double kSecondsPerAnalysis = 0.1;

// Of random weights, on two cores.
constexpr double kSecondsPerDrawnByte = 1.5e-9;

// As the probes and the forward pass bound what they hold at once.
constexpr double kTokensPerBlock = 2048;
constexpr double kMaxBlockBytes = 1 << 30;
constexpr double kMaxLogitBytes = 4.0 * (1 << 25);

// Of a number in the forward pass.
double NumberBytes(const CostedAnalysis& analysis) {
  return analysis.bfloat16 ? 2 : 4;
}

ExpertPart PartOf(const LayerVisit& visit, const ProbeCounts& probes) {
  if (visit.output) return ExpertPart::kOutput;
  return probes.weightings > 0 ? ExpertPart::kPreActivations
                               : ExpertPart::kNothing;
}

// Tokens routed to each expert.
std::vector<int64_t> EvenCounts(const LayerSizes& sizes) {
  return std::vector<int64_t>(
      static_cast<size_t>(sizes.experts),
      static_cast<int64_t>(sizes.tokens * sizes.active / sizes.experts));
}

// Outputs of all experts; products of their weights, and Krylov spaces of about
// ten times as many vectors as are kept, on both sides.
UsefulWork ComparisonWork(const ProbeCounts& probes, const LayerSizes& s) {
  const double weights = s.matrices * s.expert_width * s.width;  // of an expert
  UsefulWork work;
  work.float32 =
      s.experts * 2 * weights * static_cast<double>(probes.compared_tokens);
  if (probes.compared_rank == 0) return work;
  const double vectors = 10.0 * static_cast<double>(probes.compared_rank);
  work.float32 += s.experts * weights * s.width;
  work.float64 =
      s.experts * 2 * 2 * s.width * std::min(vectors, s.width) * s.width;
  return work;
}

UsefulWork ProbeWork(const CostedAnalysis& analysis, const ModelConfig& model,
                     const LayerConfig& layer, const LayerSizes& sizes) {
  const ProbeCounts& probes = analysis.probes;
  UsefulWork work;
  if (probes.weightings > 0) {
    work += JacobianWork(model, layer, analysis.counts, probes.weightings,
                         probes.all_tokens);
  }
  for (int64_t i = 0; i < probes.conventions; ++i) {
    work += PcaWork(model.width, EvenCounts(sizes));
  }
  if (probes.reference) {
    work += PcaWork(model.width, {analysis.counts.tokens});
  }
  if (probes.spectra_tokens > 0) {
    work += SpectraWork(model, layer, probes.spectra_tokens);
  }
  if (probes.router_term_tokens > 0) {
    work += RouterTermWork(model, layer, probes.router_term_tokens);
  }
  work += ComparisonWork(probes, sizes);
  work += SampleWork(model, layer, analysis.counts, probes);
  work += NullWork(model, layer, analysis.counts, probes);
  return work;
}

bool Converts(const TensorView& weight, bool bfloat16) {
  return weight.type !=
         (bfloat16 ? WeightType::kBFloat16 : WeightType::kFloat32);
}

const TensorView& SomeExpertWeight(const LayerTensors& tensors) {
  return tensors.dense ? tensors.dense->gate : tensors.experts.front().gate;
}

// Bytes that norms, activations, gathers and conversions read and write.
double ElementwiseBytes(const CostedAnalysis& analysis, const LayerSizes& s,
                        ExpertPart part, bool is_target, bool converts) {
  const double number_bytes = NumberBytes(analysis);
  const double routed = s.tokens * s.active;
  const double weights = s.matrices * s.experts * s.expert_width * s.width;
  double bytes = s.tokens * s.width * 4 * 16;
  if (part != ExpertPart::kNothing) {
    bytes += routed * (s.expert_width * (s.matrices + 1) * number_bytes +
                       s.width * (4 * 6 + 2 * number_bytes));
    if (converts) bytes += weights * (2 + number_bytes);
  }
  if (!is_target) return bytes;
  const ProbeCounts& probes = analysis.probes;
  if (probes.all_tokens) {
    bytes += s.tokens * (s.experts - s.active) *
             (s.expert_width * s.matrices + s.width * 2) * number_bytes;
  }
  bytes += static_cast<double>(probes.weightings) * s.experts *
           (s.width * s.width * 12 +
            (s.matrices - 1) * s.expert_width * s.width * 8);
  bytes += static_cast<double>(probes.conventions) * routed * s.width * 28;
  if (probes.reference) bytes += s.tokens * s.width * 28;
  return bytes;
}

// What the most demanding step of a layer holds beside the hidden states.
double StepBytes(const CostedAnalysis& analysis, const LayerSizes& s,
                 ExpertPart part, bool is_target, bool converts) {
  const double number_bytes = NumberBytes(analysis);
  const double block = std::min(s.tokens, kTokensPerBlock);
  const double routed = s.tokens * s.active / s.experts;
  const double attention = block * s.width * (5 * number_bytes + 2 * 4);
  double experts = 0;
  if (part != ExpertPart::kNothing) {
    experts = s.tokens * s.width * (number_bytes < 4 ? number_bytes : 0) +
              (s.matrices - 1) * block * s.expert_width * number_bytes +
              routed * (s.expert_width * number_bytes + s.width * 8);
    if (converts) {
      experts += s.matrices * s.expert_width * s.width * number_bytes;
    }
  }
  double most = std::max(attention, experts);
  if (!is_target) return most;
  const ProbeCounts& probes = analysis.probes;
  if (probes.weightings > 0) {
    most = std::max(
        most, std::min(kMaxBlockBytes, static_cast<double>(probes.weightings) *
                                           s.experts * s.width * s.width * 4) +
                  s.matrices * s.expert_width * s.width * 4);
  }
  const auto pca = [&](double rows) {
    const double size = std::min(rows, s.width);
    return 4 * size * size * 8 + rows * s.width * 4 +
           std::min(rows, std::max(s.width, kTokensPerBlock)) * s.width * 8;
  };
  if (probes.conventions > 0) most = std::max(most, pca(routed));
  if (probes.reference) most = std::max(most, pca(s.tokens));
  if (probes.spectra_tokens + probes.router_term_tokens > 0) {
    most = std::max(
        most, 4 * s.expert_width * (s.matrices * s.width + s.expert_width));
  }
  return most;
}

double SecondsOf(const UsefulWork& work, bool bfloat16,
                 const MachineRates& rates) {
  return work.forward / (bfloat16 ? rates.bfloat16 : rates.float32) +
         work.float32 / rates.float32 + work.float64 / rates.float64 +
         work.eigen / rates.eigen;
}

double LayerBytes(const Checkpoint& checkpoint, int64_t layer,
                  bool with_experts) {
  const LayerTensors& tensors = checkpoint.layer(layer);
  const std::byte* last = LastBeforeExperts(tensors).bytes.data();
  double bytes = 0;
  for (const TensorView& tensor : checkpoint.TensorsOfLayer(layer)) {
    bytes += static_cast<double>(tensor.bytes.size());
    if (!with_experts && tensor.bytes.data() == last) break;
  }
  return bytes;
}

AnalysisCost VisitCost(const CostedAnalysis& analysis, const LayerVisit& visit,
                       const Checkpoint& checkpoint,
                       const MachineRates& rates) {
  const ModelConfig& model = checkpoint.config();
  const LayerConfig& layer = model.layers[static_cast<size_t>(visit.layer)];
  const LayerSizes sizes = SizesOf(model, layer, analysis.counts.tokens);
  const ExpertPart part = visit.is_target || visit.output
                              ? PartOf(visit, analysis.probes)
                              : ExpertPart::kOutput;
  const bool converts = Converts(
      SomeExpertWeight(checkpoint.layer(visit.layer)), analysis.bfloat16);
  UsefulWork work = ForwardWork(model, layer, analysis.counts, part);
  if (visit.is_target) work += ProbeWork(analysis, model, layer, sizes);
  const double read = LayerBytes(
      checkpoint, visit.layer,
      visit.output || (visit.is_target && analysis.probes.ReadsExperts()));
  const double computing =
      SecondsOf(work, analysis.bfloat16, rates) +
      ElementwiseBytes(analysis, sizes, part, visit.is_target, converts) /
          rates.memory +
      kSecondsPerExpert * sizes.experts;
  return {
      .seconds = kSecondsPerLayer + std::max(computing, read / rates.digest),
      .peak_memory_bytes = static_cast<int64_t>(
          8 * sizes.tokens * sizes.width +
          StepBytes(analysis, sizes, part, visit.is_target, converts) +
          (visit.is_target ? NullBytes(model, layer, analysis.counts,
                                       analysis.probes, rates.threads)
                           : 0)),
      .disk_read_bytes = static_cast<int64_t>(read),
      .disk_write_bytes = 0};
}

// Variants of edited layers on their way through a layer.
double VariantSeconds(const CostedAnalysis& analysis, const LayerVisit& visit,
                      int64_t variants, const ModelConfig& model,
                      const MachineRates& rates) {
  const TokenCounts counts{.tokens = variants * analysis.probes.variant_tokens,
                           .sequence_length = analysis.counts.sequence_length};
  return SecondsOf(
      ForwardWork(model, model.layers[static_cast<size_t>(visit.layer)],
                  counts),
      analysis.bfloat16, rates);
}

AnalysisCost LossCost(const CostedAnalysis& analysis,
                      const Checkpoint& checkpoint, const MachineRates& rates) {
  const ModelConfig& model = checkpoint.config();
  const auto tokens = static_cast<double>(analysis.counts.tokens);
  const auto vocabulary = static_cast<double>(model.vocabulary_size);
  const auto width = static_cast<double>(model.width);
  const double products = 2 * tokens * vocabulary * width;
  const double head = vocabulary * width * (analysis.bfloat16 ? 2 : 4);
  const bool converts = Converts(checkpoint.head(), analysis.bfloat16);
  return {
      .seconds = SecondsOf({.forward = products}, analysis.bfloat16, rates) +
                 tokens * vocabulary * 16 / rates.memory,
      .peak_memory_bytes = static_cast<int64_t>(
          8 * tokens * width +
          3 * std::min(kMaxLogitBytes, 4 * tokens * vocabulary) +
          (converts ? head : 0)),
      .disk_read_bytes = static_cast<int64_t>(checkpoint.head().bytes.size()),
      .disk_write_bytes = 0};
}

}  // namespace

AnalysisCost& AnalysisCost::operator+=(const AnalysisCost& other) {
  seconds += other.seconds;
  peak_memory_bytes = std::max(peak_memory_bytes, other.peak_memory_bytes);
  disk_read_bytes += other.disk_read_bytes;
  disk_write_bytes += other.disk_write_bytes;
  return *this;
}

namespace {

// One model that was never trained: its weights are drawn, not read, and only
// means are taken of it.
double UntrainedSeconds(const CostedAnalysis& analysis,
                        const Checkpoint& checkpoint,
                        const MachineRates& rates) {
  std::vector<int64_t> targets;
  for (const LayerVisit& visit : analysis.visits) {
    const bool is_layer =
        std::cmp_less(visit.layer, checkpoint.config().layers.size());
    if (visit.is_target && is_layer) targets.push_back(visit.layer);
  }
  const ProbeCounts& probes = analysis.probes;
  CostedAnalysis one = analysis;
  one.probes = {.weightings = probes.weightings,
                .all_tokens = probes.all_tokens,
                .conventions = probes.conventions,
                .reference = probes.reference};
  double seconds = 0;
  for (const LayerVisit& visit : PlanItinerary(targets, /*stored=*/{})) {
    const double drawn = LayerBytes(checkpoint, visit.layer, true);
    seconds += VisitCost(one, visit, checkpoint, rates).seconds +
               drawn * kSecondsPerDrawnByte;
  }
  return seconds;
}

}  // namespace

AnalysisCost CostOf(const CostedAnalysis& analysis,
                    const Checkpoint& checkpoint, const MachineRates& rates) {
  const auto layer_count =
      static_cast<int64_t>(checkpoint.config().layers.size());
  const int64_t state_bytes =
      analysis.counts.tokens * checkpoint.config().width * 4;
  AnalysisCost cost;
  if (analysis.visits.empty()) return cost;
  cost.seconds = kSecondsPerAnalysis;
  if (analysis.probes.random_weights > 0) {
    cost.seconds += static_cast<double>(analysis.probes.random_weights) *
                    UntrainedSeconds(analysis, checkpoint, rates);
  }
  int64_t variants = 0;
  for (const LayerVisit& visit : analysis.visits) {
    if (visit.is_target) variants += analysis.probes.variants;
    if (variants > 0 && visit.layer < layer_count) {
      cost.seconds +=
          VariantSeconds(analysis, visit, variants, checkpoint.config(), rates);
    }
    cost += visit.layer < layer_count
                ? VisitCost(analysis, visit, checkpoint, rates)
                : LossCost(analysis, checkpoint, rates);
    const bool keeps = visit.output && analysis.keeps_hidden_states;
    if (keeps) cost.disk_write_bytes += state_bytes;
    const bool reads = visit.fetch && visit.layer > 0;
    if (reads) cost.disk_read_bytes += state_bytes;
    // Written and digested, or read and digested.
    if (keeps || reads) {
      cost.seconds += static_cast<double>(state_bytes) *
                      (1 / rates.digest + 2 / rates.memory);
    }
  }
  cost.peak_memory_bytes += rates.resting_bytes;
  return cost;
}

}  // namespace moeprobe
