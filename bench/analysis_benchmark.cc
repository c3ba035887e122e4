#include "bench/analysis_benchmark.h"

#include <ATen/Parallel.h>
#include <c10/core/ScalarType.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "bench/array_file.h"
#include "bench/figure.h"
#include "bench/gemm_rate.h"
#include "bench/process_memory.h"
#include "bench/repeated_runs.h"
#include "bench/step_clock.h"
#include "core/base/status_macros.h"
#include "core/checkpoint/checkpoint.h"
#include "core/checkpoint/model_config.h"
#include "core/pipeline/analyze.h"
#include "core/pipeline/layer_analysis.h"
#include "core/plan/useful_work.h"
#include "core/probe/probe_options.h"

namespace moeprobe {
namespace {

constexpr int kGemmRepetitions = 9;

// GEMM rates by what work is computed in, operations a second.
struct Rates {
  double forward = 0;
  double float32 = 0;
  double float64 = 0;
};

Rates MeasureRates(Precision precision) {
  const auto rate = [](at::ScalarType type) {
    return GemmRate(kReferenceShape, type, kGemmRepetitions);
  };
  return {.forward = rate(ComputeType(precision)),
          .float32 = rate(at::kFloat),
          .float64 = rate(at::kDouble)};
}

Rates Mean(const Rates& a, const Rates& b) {
  return {.forward = (a.forward + b.forward) / 2,
          .float32 = (a.float32 + b.float32) / 2,
          .float64 = (a.float64 + b.float64) / 2};
}

double SecondsAtGemmRate(const UsefulWork& work, const Rates& rates) {
  return work.forward / rates.forward + work.float32 / rates.float32 +
         (work.float64 + work.eigen) / rates.float64;
}

AnalysisRequest RequestOf(const AnalysisBenchmarkOptions& options,
                          std::vector<int32_t> token_ids) {
  AnalysisRequest request;
  request.model_directory = options.checkpoint;
  request.token_ids = std::move(token_ids);
  request.sequence_length = options.sequence_length;
  request.layers = options.layers;
  std::ranges::sort(request.layers);
  request.probes.jacobian = JacobianOptions();
  request.probes.pca = PcaOptions();
  if (options.counted) {
    request.probes.jacobian->tokens = 0;
    request.probes.pca->matched = false;
  }
  if (options.nulls) {
    request.probes.nulls = {.random_router = 99, .bootstrap = 200};
    request.probes.router_term = RouterTermOptions();
  }
  request.precision = options.precision;
  return request;
}

UsefulWork ProbeWork(const ModelConfig& model, int64_t layer,
                     TokenCounts counts, const AnalysisRequest& request,
                     const StepClock& clock) {
  UsefulWork work = JacobianWork(
      model, model.layers[static_cast<size_t>(layer)], counts,
      static_cast<int64_t>(request.probes.jacobian->average.size()),
      /*all_tokens=*/true);
  work += PcaWork(model.width, clock.routed_counts().at(layer));
  work += PcaWork(model.width, {counts.tokens});
  return work;
}

UsefulWork WorkOf(const AnalysisRequest& request, const ModelConfig& model,
                  const StepClock& clock) {
  const TokenCounts counts{
      .tokens = static_cast<int64_t>(request.token_ids.size()),
      .sequence_length = request.sequence_length};
  UsefulWork work;
  for (int64_t layer = 0; layer <= request.layers.back(); ++layer) {
    // Nobody needs what the last layer's experts put out.
    work += ForwardWork(model, model.layers[static_cast<size_t>(layer)], counts,
                        layer < request.layers.back()
                            ? ExpertPart::kOutput
                            : ExpertPart::kPreActivations);
  }
  for (const int64_t layer : request.layers) {
    work += ProbeWork(model, layer, counts, request, clock);
  }
  return work;
}

Figure InGflops(const Rates& rates) {
  return {{"forward", rates.forward / 1e9},
          {"float32", rates.float32 / 1e9},
          {"float64", rates.float64 / 1e9}};
}

Figure InTeraflop(const UsefulWork& work) {
  return {{"forward", work.forward / 1e12},
          {"float32", work.float32 / 1e12},
          {"float64", (work.float64 + work.eigen) / 1e12}};
}

}  // namespace

absl::StatusOr<Figure> AnalysisBenchmark(
    const AnalysisBenchmarkOptions& options) {
  MOEPROBE_ASSIGN_OR_RETURN(const auto checkpoint,
                            Checkpoint::Open(options.checkpoint));
  MOEPROBE_ASSIGN_OR_RETURN(
      std::vector<int32_t> ids,
      ReadWindows(options.token_ids, options.sequence_length));
  const AnalysisRequest request = RequestOf(options, std::move(ids));

  const Rates rates_before = MeasureRates(options.precision);
  const MemoryWatch memory;
  StepClock clock;
  Analyzer analyzer(at::get_num_threads());
  absl::StatusOr<AnalysisReport> report;
  const double seconds =
      Seconds([&] { report = analyzer.Analyze(request, clock); });
  MOEPROBE_RETURN_IF_ERROR(report.status());
  Figure figure{{"benchmark", "analysis"},
                {"seconds", seconds},
                {"seconds_by_step", clock.seconds_by_step()}};
  memory.AddTo(figure);

  const Rates rates = Mean(rates_before, MeasureRates(options.precision));
  const UsefulWork work = WorkOf(request, checkpoint->config(), clock);
  figure["useful_teraflop"] = InTeraflop(work);
  figure["gemm_gflops"] = InGflops(rates);
  figure["gemm_fraction"] = SecondsAtGemmRate(work, rates) / seconds;
  return figure;
}

}  // namespace moeprobe
