#include "core/train/learning_rate.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numbers>

namespace moeprobe {

double RateAt(const LearningRate& rate, int64_t step, int64_t steps) {
  if (step <= rate.warmup_steps) {
    return rate.peak * static_cast<double>(step) /
           static_cast<double>(rate.warmup_steps);
  }
  // 0 at the end of the warm-up, 1 at the last step.
  const double done =
      static_cast<double>(step - rate.warmup_steps) /
      static_cast<double>(std::max<int64_t>(steps - rate.warmup_steps, 1));
  switch (rate.decay) {
    case Decay::kNone:
      return rate.peak;
    case Decay::kLinear:
      return rate.peak * (1 - done);
    case Decay::kCosine:
      return rate.peak * (1 + std::cos(std::numbers::pi * done)) / 2;
  }
  return rate.peak;
}

}  // namespace moeprobe
