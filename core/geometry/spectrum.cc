#include "core/geometry/spectrum.h"

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numeric>
#include <span>

namespace moeprobe {
namespace {

double Sum(std::span<const double> eigenvalues) {
  return std::accumulate(eigenvalues.begin(), eigenvalues.end(), 0.0);
}

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

}  // namespace

double EffectiveRank(std::span<const double> eigenvalues) {
  const double sum = Sum(eigenvalues);
  if (!(sum > 0)) return kNaN;
  double entropy = 0;
  for (const double eigenvalue : eigenvalues) {
    const double p = eigenvalue / sum;
    if (p > 0) entropy -= p * std::log(p);
  }
  return std::exp(entropy);
}

double ParticipationRatio(std::span<const double> eigenvalues) {
  const double sum = Sum(eigenvalues);
  if (!(sum > 0)) return kNaN;
  double squares = 0;
  for (const double eigenvalue : eigenvalues) {
    squares += (eigenvalue / sum) * (eigenvalue / sum);
  }
  return 1 / squares;
}

double Eigengap(std::span<const double> eigenvalues, int64_t n) {
  const auto index = static_cast<size_t>(n);
  if (!(eigenvalues[0] > 0)) return kNaN;
  const double next = index < eigenvalues.size() ? eigenvalues[index] : 0;
  return (eigenvalues[index - 1] - next) / eigenvalues[0];
}

std::array<int64_t, 4> ComponentCounts(std::span<const double> eigenvalues) {
  constexpr std::array<double, 4> kShares = {0.50, 0.80, 0.90, 0.95};
  std::array<int64_t, 4> counts{};
  const double sum = Sum(eigenvalues);
  if (!(sum > 0)) return counts;
  for (size_t s = 0; s < kShares.size(); ++s) {
    double cumulative = 0;
    for (const double eigenvalue : eigenvalues) {
      if (cumulative >= kShares[s] * sum) break;
      cumulative += eigenvalue;
      ++counts[s];
    }
  }
  return counts;
}

}  // namespace moeprobe
