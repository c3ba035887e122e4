#ifndef MOEPROBE_BENCH_FORWARD_BENCHMARK_H_
#define MOEPROBE_BENCH_FORWARD_BENCHMARK_H_

#include <cstdint>
#include <filesystem>

#include "absl/status/statusor.h"
#include "bench/figure.h"
#include "core/pipeline/analyze.h"

namespace moeprobe {

struct ForwardBenchmarkOptions {
  std::filesystem::path checkpoint;
  std::filesystem::path token_ids;  // .npy
  int64_t sequence_length = 512;
  Precision precision = Precision::kBFloat16;
  int repetitions = 3;
  // Runs one window after the other and empties the page cache before each, as
  // on a machine smaller than the model; `repetitions` does not count then.
  bool drop_caches_before_window = false;
};

// Times the forward pass through all decoder layers, without probes: tokens a
// second, rate, memory, and bytes read from disk; from disk also how close the
// reading of weights comes to what the disk gives away (DiskRate), which bounds
// it.
absl::StatusOr<Figure> ForwardBenchmark(const ForwardBenchmarkOptions& options);

}  // namespace moeprobe

#endif  // MOEPROBE_BENCH_FORWARD_BENCHMARK_H_
