#include "client/result/decimals.h"

#include <algorithm>
#include <cmath>

namespace moeprobe {
namespace {

constexpr int kMost = 9;

// Decimals that show so many digits of `number`, which is above 0.
int DecimalsOf(double number, int digits) {
  const int exponent = static_cast<int>(std::floor(std::log10(number)));
  return std::clamp(digits - 1 - exponent, 0, kMost);
}

}  // namespace

int DecimalsUpTo(double largest) {
  if (largest >= 10) return 1;
  if (largest >= 0.01 || largest == 0) return 3;
  return DecimalsOf(largest, 3);
}

int DecimalsUpTo(double largest, double error) {
  const int decimals = DecimalsUpTo(largest);
  if (!(error > 0) || !std::isfinite(error)) return decimals;
  return std::max(decimals, DecimalsOf(error, 2));
}

}  // namespace moeprobe
