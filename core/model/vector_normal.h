#ifndef MOEPROBE_CORE_MODEL_VECTOR_NORMAL_H_
#define MOEPROBE_CORE_MODEL_VECTOR_NORMAL_H_

#include <cmath>

#include "core/model/vector_exp.h"

namespace moeprobe {

// The normal distribution at one point: what gelu(z) = z Phi(z) and its
// derivative Phi(z) + z Phi'(z) are made of.
struct Normal {
  float below;    // Phi(z)
  float density;  // Phi'(z)
};

// Phi to 1e-7 (Abramowitz & Stegun 7.1.26, which shares its exponential with
// the density). Written out because a call would keep a loop from being
// vectorised.
MOEPROBE_INLINE Normal NormalAt(float z) {
  const float exponential = VectorExp(-0.5F * z * z);
  const float x = std::fabs(z) * 0.70710678F;
  const float t = 1.0F / (1.0F + 0.3275911F * x);
  float p = 1.061405429F;
  p = p * t - 1.453152027F;
  p = p * t + 1.421413741F;
  p = p * t - 0.284496736F;
  p = p * t + 0.254829592F;
  const float tail = 0.5F * p * t * exponential;  // Phi(-|z|)
  return {.below = z < 0 ? tail : 1.0F - tail,
          .density = 0.39894228F * exponential};
}

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_MODEL_VECTOR_NORMAL_H_
