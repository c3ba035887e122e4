#ifndef MOEPROBE_CORE_BASE_RANDOM_STREAM_H_
#define MOEPROBE_CORE_BASE_RANDOM_STREAM_H_

#include <cstdint>

namespace moeprobe {

// A bijection of 64 bits that looks random: the finaliser of SplitMix64
// (Steele, Lea & Flood, OOPSLA 2014).
uint64_t MixBits(uint64_t x);

// The random numbers of draw `index` of an analysis with `seed`: SplitMix64
// from a start that depends on both, so that draws may be made in any order and
// on any thread.
class RandomStream {
 public:
  RandomStream(int64_t seed, int64_t index);

  // Returns 64 random bits.
  uint64_t Next();

  // Returns a number in [0, bound), each equally likely to one part in
  // 2^64 / bound. `bound` > 0.
  uint64_t Below(uint64_t bound);

 private:
  uint64_t state_;
};

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_BASE_RANDOM_STREAM_H_
