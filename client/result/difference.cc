#include "client/result/difference.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <vector>

namespace moeprobe {
namespace {

constexpr double kTail = 0.025;

// The draws of b - a that are numbers, ascending.
std::vector<double> DrawsOfDifference(const std::vector<double>& a,
                                      const std::vector<double>& b,
                                      bool paired) {
  std::vector<double> draws;
  for (size_t i = 0; i < a.size(); ++i) {
    const size_t first = paired ? i : 0;
    const size_t end = paired ? i + 1 : b.size();
    for (size_t j = first; j < end; ++j) {
      if (std::isfinite(b[j] - a[i])) draws.push_back(b[j] - a[i]);
    }
  }
  std::ranges::sort(draws);
  return draws;
}

// Between two neighbours, as numpy.quantile interpolates.
double Quantile(const std::vector<double>& sorted, double share) {
  const double place = share * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<size_t>(place);
  const size_t above = std::min(below + 1, sorted.size() - 1);
  return std::lerp(sorted[below], sorted[above],
                   place - static_cast<double>(below));
}

// Of as many draws as each side has: comparing all with all makes no more.
double TwoSidedP(const std::vector<double>& sorted, size_t draws) {
  const auto below =
      std::ranges::count_if(sorted, [](double draw) { return draw <= 0; });
  const auto above =
      std::ranges::count_if(sorted, [](double draw) { return draw >= 0; });
  const double share = static_cast<double>(std::min(below, above)) /
                       static_cast<double>(sorted.size());
  const auto count = static_cast<double>(draws);
  return std::min(1.0, 2 * (1 + share * count) / (1 + count));
}

}  // namespace

Difference Subtract(const DrawnMean& a, const DrawnMean& b, bool same_windows) {
  Difference difference{.value = b.mean - a.mean};
  difference.paired = same_windows && a.draws.size() == b.draws.size();
  std::vector<double> draws =
      DrawsOfDifference(a.draws, b.draws, difference.paired);
  if (draws.size() < 2 || !std::isfinite(difference.value)) return difference;
  const double shift =
      difference.value - std::accumulate(draws.begin(), draws.end(), 0.0) /
                             static_cast<double>(draws.size());
  for (double& draw : draws) draw += shift;
  difference.low = Quantile(draws, kTail);
  difference.high = Quantile(draws, 1 - kTail);
  difference.p = TwoSidedP(draws, std::min(a.draws.size(), b.draws.size()));
  return difference;
}

}  // namespace moeprobe
