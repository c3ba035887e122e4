#include "core/significance/replicate_summary.h"

#include <ATen/core/Tensor.h>
#include <ATen/ops/quantile.h>

#include <cmath>
#include <cstdint>
#include <limits>

namespace moeprobe {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

at::Tensor FiniteDraws(const at::Tensor& draws) {
  return draws.masked_select(draws.isfinite());
}

}  // namespace

double MeanOfDraws(const at::Tensor& draws) {
  return FiniteDraws(draws).mean().item<double>();
}

double DeviationOfDraws(const at::Tensor& draws) {
  const at::Tensor finite = FiniteDraws(draws);
  return finite.size(0) < 2 ? kNaN : finite.std().item<double>();
}

Interval BootstrapInterval(double observed, const at::Tensor& draws) {
  const at::Tensor finite = FiniteDraws(draws);
  if (finite.size(0) < 2) return {.low = kNaN, .high = kNaN};
  const double shift = observed - finite.mean().item<double>();
  return {.low = shift + at::quantile(finite, 0.025).item<double>(),
          .high = shift + at::quantile(finite, 0.975).item<double>()};
}

double PValue(double observed, const at::Tensor& draws) {
  const at::Tensor finite = FiniteDraws(draws);
  if (finite.size(0) == 0 || std::isnan(observed)) return kNaN;
  const auto extreme =
      static_cast<double>(finite.ge(observed).sum().item<int64_t>());
  return (1 + extreme) / (1 + static_cast<double>(finite.size(0)));
}

}  // namespace moeprobe
