#ifndef MOEPROBE_BENCH_PRECISION_BENCHMARK_H_
#define MOEPROBE_BENCH_PRECISION_BENCHMARK_H_

#include <cstdint>
#include <filesystem>

#include "absl/status/statusor.h"
#include "bench/figure.h"

namespace moeprobe {

struct PrecisionBenchmarkOptions {
  std::filesystem::path checkpoint;
  std::filesystem::path token_ids;  // .npy
  int64_t sequence_length = 512;
};

// Measures what bfloat16 arithmetic changes: see PrecisionAgreement.
absl::StatusOr<Figure> PrecisionBenchmark(
    const PrecisionBenchmarkOptions& options);

}  // namespace moeprobe

#endif  // MOEPROBE_BENCH_PRECISION_BENCHMARK_H_
