#ifndef MOEPROBE_BENCH_TRAINING_BENCHMARK_H_
#define MOEPROBE_BENCH_TRAINING_BENCHMARK_H_

#include <cstdint>
#include <filesystem>

#include "absl/status/statusor.h"
#include "bench/figure.h"

namespace moeprobe {

struct TrainingBenchmarkOptions {
  std::filesystem::path text;     // its bytes are the tokens
  int64_t experts_per_token = 2;  // of 8; with 8, routing is soft
  int64_t warmup_steps = 20;      // not timed
  int64_t steps = 100;
  // Where the initial weights (model.safetensors), batches.npy and losses.npy
  // of all steps go, so that a peer does the same; empty: nowhere.
  std::filesystem::path dump_directory;
};

// Times the training of a small language model with two-layer experts.
absl::StatusOr<Figure> TrainingBenchmark(
    const TrainingBenchmarkOptions& options);

}  // namespace moeprobe

#endif  // MOEPROBE_BENCH_TRAINING_BENCHMARK_H_
