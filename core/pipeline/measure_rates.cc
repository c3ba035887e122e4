#include "core/pipeline/measure_rates.h"

#include <ATen/Parallel.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/linalg_eigvalsh.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/randn.h>
#include <c10/core/ScalarType.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <string>

#include "absl/functional/function_ref.h"
#include "core/base/heap.h"
#include "core/base/sha256.h"
#include "core/plan/machine_rates.h"
#include "core/tensor/libtorch_kernels.h"

namespace moeprobe {
namespace {

// Large enough for products to run at full speed, small enough to be quick.
constexpr int64_t kProductSize = 1024;
constexpr int64_t kEigenSize = 512;
constexpr int64_t kNumbers = int64_t{1} << 24;
constexpr int64_t kDigestBytes = int64_t{1} << 23;

// The second of three, in order of time; the first run is not counted.
double MedianSeconds(absl::FunctionRef<void()> run) {
  run();
  std::array<double, 3> seconds{};
  for (double& one : seconds) {
    const auto begin = std::chrono::steady_clock::now();
    run();
    one =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - begin)
            .count();
  }
  std::ranges::sort(seconds);
  return seconds[1];
}

double ProductRate(at::ScalarType type) {
  const at::Tensor x = at::ones({kProductSize, kProductSize}, type);
  const double size = kProductSize;
  return 2 * size * size * size / MedianSeconds([&] { at::linear(x, x); });
}

double EigenRate() {
  const at::Tensor x = at::randn({kEigenSize, kEigenSize}, at::kDouble);
  const at::Tensor symmetric = x.add(x.t());
  const double size = kEigenSize;
  return 4.0 / 3.0 * size * size * size /
         MedianSeconds([&] { at::linalg_eigvalsh(symmetric); });
}

double MemoryRate() {
  at::Tensor x = at::ones({kNumbers}, at::kFloat);
  const at::Tensor y = at::ones({kNumbers}, at::kFloat);
  // Two are read and one is written.
  return 3.0 * static_cast<double>(x.nbytes()) /
         MedianSeconds([&] { x.add_(y); });
}

double DigestRate() {
  const std::string bytes(kDigestBytes, 'x');
  return static_cast<double>(kDigestBytes) /
         MedianSeconds([&] { Sha256Hex(bytes); });
}

}  // namespace

MachineRates MeasureRates() {
  const int64_t resting_bytes = AnonymousBytes();
  return {.float32 = ProductRate(at::kFloat),
          .bfloat16 = ProductRate(at::kBFloat16),
          .float64 = ProductRate(at::kDouble),
          .eigen = EigenRate(),
          .memory = MemoryRate(),
          .digest = DigestRate(),
          .resting_bytes = resting_bytes,
          .threads = at::get_num_threads(),
          .libtorch_version = LibtorchVersion()};
}

}  // namespace moeprobe
