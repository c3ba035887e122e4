#ifndef MOEPROBE_BENCH_PCA_BENCHMARK_H_
#define MOEPROBE_BENCH_PCA_BENCHMARK_H_

#include <cstdint>
#include <filesystem>

#include "absl/status/statusor.h"
#include "bench/figure.h"

namespace moeprobe {

struct PcaBenchmarkOptions {
  int64_t expert_count = 60;
  int64_t width = 2048;        // d
  int64_t token_count = 1100;  // of each expert
  int64_t components = 5;      // n
  int repetitions = 1;
  // Where h.npy [E, tokens, d], eigenvalues.npy [E, d] and grassmann.npy [E, E]
  // go, so that a peer computes the same; empty: nowhere.
  std::filesystem::path dump_directory;
};

// Times the PCA of each expert's tokens and the Grassmann distances of all
// pairs. The spectra of the tokens fall off as those of hidden states do.
absl::StatusOr<Figure> PcaBenchmark(const PcaBenchmarkOptions& options);

}  // namespace moeprobe

#endif  // MOEPROBE_BENCH_PCA_BENCHMARK_H_
