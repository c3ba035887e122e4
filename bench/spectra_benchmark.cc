#include "bench/spectra_benchmark.h"

#include <ATen/core/Tensor.h>
#include <c10/core/ScalarType.h>

#include <cstdint>

#include "absl/status/statusor.h"
#include "bench/array_file.h"
#include "bench/figure.h"
#include "bench/gemm_rate.h"
#include "bench/random_expert.h"
#include "bench/repeated_runs.h"
#include "core/base/status_macros.h"
#include "core/checkpoint/checkpoint.h"
#include "core/probe/token_spectra.h"

namespace moeprobe {
namespace {

constexpr int kGemmRepetitions = 5;

// Products with `vectors` and their images, with Jacobians that are built or
// with their factors.
double Work(const SpectraBenchmarkOptions& options, int64_t vectors,
            bool built) {
  const auto d = static_cast<double>(options.width);
  const auto f = static_cast<double>(options.expert_width);
  const auto n = static_cast<double>(options.token_count);
  const auto v = static_cast<double>(vectors);
  return built ? n * (2 * d * d * f + 4 * d * d * v)
               : n * 12 * d * f * v + 5 * f * f * d;
}

}  // namespace

absl::StatusOr<Figure> SpectraBenchmark(
    const SpectraBenchmarkOptions& options) {
  const RandomExpert expert(options.width, options.expert_width,
                            options.token_count);
  const MlpTensors views = expert.Views();
  JacobianSpectra spectra;
  const double rate = GemmRate(kReferenceShape, at::kFloat, kGemmRepetitions);
  const double seconds = MedianSeconds(options.repetitions, [&] {
    spectra = SpectraAtTokens(views, expert.x, options.top, /*seed=*/0);
  });
  if (!options.dump_directory.empty()) {
    MOEPROBE_RETURN_IF_ERROR(expert.Dump(options.dump_directory));
    MOEPROBE_RETURN_IF_ERROR(
        WriteArray(options.dump_directory / "values.npy", spectra.values));
  }
  return Figure{
      {"benchmark", "spectra"},
      {"width", options.width},
      {"expert_width", options.expert_width},
      {"tokens", options.token_count},
      {"seconds_per_token", seconds / static_cast<double>(options.token_count)},
      {"vectors", spectra.vectors},
      {"estimated_error", spectra.error.max().item<double>()},
      {"gemm_fraction",
       Work(options, spectra.vectors, AreBuilt(views, options.token_count)) /
           seconds / rate}};
}

}  // namespace moeprobe
