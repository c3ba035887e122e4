#ifndef MOEPROBE_BENCH_JACOBIAN_BENCHMARK_H_
#define MOEPROBE_BENCH_JACOBIAN_BENCHMARK_H_

#include <cstdint>
#include <filesystem>

#include "absl/status/statusor.h"
#include "bench/figure.h"

namespace moeprobe {

struct JacobianBenchmarkOptions {
  int64_t width = 128;         // d
  int64_t expert_width = 256;  // f
  int64_t token_count = 4096;
  int repetitions = 5;
  // Where gate.npy, up.npy, down.npy, x.npy and jacobian.npy go, so that a peer
  // computes the same; empty: nowhere.
  std::filesystem::path dump_directory;
};

// Times the averaged Jacobian of a random gated expert in float32: its
// pre-activations, the sums over tokens, and the product.
absl::StatusOr<Figure> JacobianBenchmark(
    const JacobianBenchmarkOptions& options);

}  // namespace moeprobe

#endif  // MOEPROBE_BENCH_JACOBIAN_BENCHMARK_H_
