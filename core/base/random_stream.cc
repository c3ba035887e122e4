#include "core/base/random_stream.h"

#include <cstdint>

#include "absl/numeric/int128.h"

namespace moeprobe {
namespace {

constexpr uint64_t kGoldenRatio = 0x9E3779B97F4A7C15U;

}  // namespace

uint64_t MixBits(uint64_t x) {
  x = (x ^ (x >> 30U)) * 0xBF58476D1CE4E5B9U;
  x = (x ^ (x >> 27U)) * 0x94D049BB133111EBU;
  return x ^ (x >> 31U);
}

RandomStream::RandomStream(int64_t seed, int64_t index)
    : state_(MixBits(MixBits(static_cast<uint64_t>(seed) + kGoldenRatio) +
                     static_cast<uint64_t>(index) * kGoldenRatio)) {}

uint64_t RandomStream::Next() { return MixBits(state_ += kGoldenRatio); }

// Lemire, Fast random integer generation in an interval, 2019, without the
// rejection that makes it exact.
uint64_t RandomStream::Below(uint64_t bound) {
  return absl::Uint128High64(absl::uint128(Next()) * bound);
}

}  // namespace moeprobe
