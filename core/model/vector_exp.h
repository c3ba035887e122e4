#ifndef MOEPROBE_CORE_MODEL_VECTOR_EXP_H_
#define MOEPROBE_CORE_MODEL_VECTOR_EXP_H_

#include <algorithm>
#include <bit>
#include <cstdint>
#include <numbers>

// A clone is compiled with what is inlined into it, and nothing else.
#define MOEPROBE_INLINE inline __attribute__((always_inline))
// Compiled once for each instruction set; the loader picks the best.
#define MOEPROBE_CLONES \
  __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))

namespace moeprobe {

// exp(x) to 2 ulp for |x| <= 87, and its value at the ends outside: Cody-Waite
// reduction and the Taylor polynomial of degree 6 on [-ln2/2, ln2/2]. Written
// out because a call would keep a loop from being vectorised.
MOEPROBE_INLINE float VectorExp(float x) {
  x = std::clamp(x, -87.0F, 87.0F);
  const float magic = 12582912.0F;  // 1.5 * 2^23: adding it rounds to integer
  const float n = (x * std::numbers::log2e_v<float> + magic) - magic;
  const float ln2 = 355.0F / 512;  // its first bits; the rest is -2.12e-4
  const float r = (x - n * ln2) + n * 2.12194440e-4F;
  float p = 1.0F / 720;
  p = p * r + 1.0F / 120;
  p = p * r + 1.0F / 24;
  p = p * r + 1.0F / 6;
  p = p * r + 0.5F;
  p = p * r + 1.0F;
  p = p * r + 1.0F;
  const auto exponent = static_cast<uint32_t>(static_cast<int32_t>(n) + 127);
  return p * std::bit_cast<float>(exponent << 23U);
}

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_MODEL_VECTOR_EXP_H_
