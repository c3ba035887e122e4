#include "bench/jacobian_benchmark.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/full.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/zeros.h>
#include <c10/core/ScalarType.h>

#include <cstdint>
#include <filesystem>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "bench/array_file.h"
#include "bench/figure.h"
#include "bench/random_expert.h"
#include "bench/repeated_runs.h"
#include "core/base/status_macros.h"
#include "core/checkpoint/checkpoint.h"
#include "core/model/mlp.h"
#include "core/model/mlp_activation.h"
#include "core/probe/averaged_jacobian.h"

namespace moeprobe {
namespace {

// [d, d], averaged over all tokens.
at::Tensor Average(const RandomExpert& expert) {
  const int64_t count = expert.x.size(0);
  const MlpTensors weights = expert.Views();
  ActivationSums sums = ZeroActivationSums(1, 1, WidthsOf(weights));
  Mlp(weights, at::kFloat)
      .Run(expert.x, {.tokens = at::arange(count, at::kLong),
                      .rows = at::full({count}, -1, at::kLong),
                      .output_count = 0,
                      .weights = at::ones({1, count}),
                      .groups = at::zeros({count}, at::kLong),
                      .sums = &sums});
  return JacobianRows({.weights = &weights,
                       .slope = sums.slope[0][0] / count,
                       .value = sums.value[0][0] / count},
                      0, expert.x.size(1));
}

absl::Status Dump(const RandomExpert& expert,
                  const std::filesystem::path& directory) {
  MOEPROBE_RETURN_IF_ERROR(expert.Dump(directory));
  return WriteArray(directory / "jacobian.npy", Average(expert));
}

}  // namespace

absl::StatusOr<Figure> JacobianBenchmark(
    const JacobianBenchmarkOptions& options) {
  const RandomExpert expert(options.width, options.expert_width,
                            options.token_count);
  if (!options.dump_directory.empty()) {
    MOEPROBE_RETURN_IF_ERROR(Dump(expert, options.dump_directory));
  }
  const double seconds =
      MedianSeconds(options.repetitions, [&] { Average(expert); });
  return Figure{{"benchmark", "jacobian"},
                {"width", options.width},
                {"expert_width", options.expert_width},
                {"tokens", options.token_count},
                {"seconds", seconds}};
}

}  // namespace moeprobe
