#ifndef MOEPROBE_CORE_SIGNIFICANCE_DRAW_STREAM_H_
#define MOEPROBE_CORE_SIGNIFICANCE_DRAW_STREAM_H_

#include <cstdint>

#include "core/base/random_stream.h"

namespace moeprobe {

// What is drawn at random. Draws of different kinds do not depend on each
// other.
enum class DrawKind : std::uint8_t {
  kBootstrap,
  kRandomRouter,
  kShuffledRouting,
  kMatchedSample,
  kSubspace,
  kRandomWeights,
};

// Returns the random numbers of one draw: the same whatever else is drawn, in
// whichever order.
inline RandomStream DrawStream(int64_t seed, DrawKind kind, int64_t draw) {
  constexpr int64_t kMostDraws = int64_t{1} << 32;
  return {seed, static_cast<int64_t>(kind) * kMostDraws + draw};
}

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_SIGNIFICANCE_DRAW_STREAM_H_
