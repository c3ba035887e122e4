#ifndef MOEPROBE_BENCH_ANALYSIS_BENCHMARK_H_
#define MOEPROBE_BENCH_ANALYSIS_BENCHMARK_H_

#include <cstdint>
#include <filesystem>
#include <vector>

#include "absl/status/statusor.h"
#include "bench/figure.h"
#include "core/pipeline/analyze.h"

namespace moeprobe {

struct AnalysisBenchmarkOptions {
  std::filesystem::path checkpoint;
  std::filesystem::path token_ids;  // .npy
  int64_t sequence_length = 512;
  std::vector<int64_t> layers;
  Precision precision = Precision::kBFloat16;
  // Only averages and subspaces, whose work is counted.
  bool counted = false;
  // Also nulls, intervals and the router term, in their default sizes.
  bool nulls = false;
};

// Times a whole analysis with the default probes (routing, averaged Jacobians
// in all three weightings, routed PCA), once, and says how much of the
// machine's GEMM rate it makes use of:
//   gemm_fraction = (sum over types of useful work / GEMM rate) / time,
// the rates measured before and after in the same process. "seconds_by_step"
// is the profile. The work of nulls is not counted as useful.
absl::StatusOr<Figure> AnalysisBenchmark(
    const AnalysisBenchmarkOptions& options);

}  // namespace moeprobe

#endif  // MOEPROBE_BENCH_ANALYSIS_BENCHMARK_H_
