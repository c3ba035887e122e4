#ifndef MOEPROBE_CORE_TRAIN_LEARNING_RATE_H_
#define MOEPROBE_CORE_TRAIN_LEARNING_RATE_H_

#include <cstdint>

namespace moeprobe {

// What becomes of the learning rate after the warm-up.
enum class Decay : std::uint8_t {
  kNone,
  kLinear,  // to 0 at the last step
  kCosine,  // half a cosine, to 0 at the last step
};

// The learning rate by step.
struct LearningRate {
  double peak = 3e-4;
  int64_t warmup_steps = 0;  // it rises linearly to the peak
  Decay decay = Decay::kNone;
};

// Returns the learning rate of step `step` of `steps`, counted from 1.
double RateAt(const LearningRate& rate, int64_t step, int64_t steps);

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_TRAIN_LEARNING_RATE_H_
