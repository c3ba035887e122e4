#ifndef MOEPROBE_BENCH_SPECTRA_BENCHMARK_H_
#define MOEPROBE_BENCH_SPECTRA_BENCHMARK_H_

#include <cstdint>
#include <filesystem>

#include "absl/status/statusor.h"
#include "bench/figure.h"

namespace moeprobe {

struct SpectraBenchmarkOptions {
  int64_t width = 2048;         // d
  int64_t expert_width = 1408;  // f
  int64_t token_count = 8;
  int64_t top = 16;
  int repetitions = 1;
  // Where gate.npy, up.npy, down.npy, x.npy and values.npy go, so that a peer
  // computes the same; empty: nowhere.
  std::filesystem::path dump_directory;
};

// Times singular values and norms of a random gated expert's Jacobians at
// single tokens. The work that counts: 12 d f for each vector that a Jacobian
// and its transpose are multiplied with, and 5 f^2 d for the norms.
absl::StatusOr<Figure> SpectraBenchmark(const SpectraBenchmarkOptions& options);

}  // namespace moeprobe

#endif  // MOEPROBE_BENCH_SPECTRA_BENCHMARK_H_
