#ifndef MOEPROBE_CORE_TRAIN_TRAINING_STREAM_H_
#define MOEPROBE_CORE_TRAIN_TRAINING_STREAM_H_

#include <cstdint>

#include "core/base/random_stream.h"

namespace moeprobe {

// What training draws at random.
enum class TrainingDraw : std::uint8_t { kWeights, kBatch, kExamples };

// Returns the random numbers of one draw: of the weight with that number, of
// the batch of that step, or of that part of the examples. They depend on
// nothing else, so a run that is resumed draws what it would have drawn, and
// variants draw the same.
inline RandomStream TrainingStream(int64_t seed, TrainingDraw draw,
                                   int64_t index) {
  constexpr int64_t kMostDraws = int64_t{1} << 40;
  return {seed, (static_cast<int64_t>(draw) + 1) * kMostDraws + index};
}

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_TRAIN_TRAINING_STREAM_H_
