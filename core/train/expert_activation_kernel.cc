#include "core/train/expert_activation_kernel.h"

#include <algorithm>
#include <array>
#include <cstdint>

#include "core/model/vector_exp.h"
#include "core/model/vector_normal.h"

namespace moeprobe {
namespace {

// Columns at a time: their terms of a sum stay close to the processor.
constexpr int64_t kTile = 64;
using Tile = std::array<float, kTile>;

// A sum in several partial sums side by side, which does not depend on how the
// compiler vectorises it.
class LaneSum {
 public:
  MOEPROBE_INLINE void Add(const Tile& terms, int64_t count) {
    for (int64_t j = 0; j < count; ++j) sums_[j % kLanes] += terms[j];
  }

  MOEPROBE_INLINE float Total() const {
    float total = 0;
    for (const float sum : sums_) total += sum;
    return total;
  }

 private:
  static constexpr int64_t kLanes = 16;  // what the widest registers hold
  std::array<float, kLanes> sums_{};
};

}  // namespace

MOEPROBE_CLONES
void GeluRow(const float* z, const float* bias, float g, int64_t columns,
             float* p) {
  for (int64_t j = 0; j < columns; ++j) {
    const float x = z[j] + bias[j];
    p[j] = g * x * NormalAt(x).below;
  }
}

MOEPROBE_CLONES
float GeluGradientRow(const GradientRow& row, const float* z, const float* bias,
                      float* dz) {
  const auto [dp, g, columns, p] = row;
  LaneSum sum;
  Tile terms;
  for (int64_t begin = 0; begin < columns; begin += kTile) {
    const int64_t count = std::min(kTile, columns - begin);
    for (int64_t i = 0, j = begin; i < count; ++i, ++j) {
      const float x = z[j] + bias[j];
      const Normal normal = NormalAt(x);
      const float value = x * normal.below;
      terms[i] = dp[j] * value;
      p[j] = g * value;
      dz[j] = dp[j] * g * (normal.below + x * normal.density);
    }
    sum.Add(terms, count);
  }
  return sum.Total();
}

MOEPROBE_CLONES
void GatedRow(const float* a, const float* u, float g, int64_t columns,
              float* p) {
  for (int64_t j = 0; j < columns; ++j) {
    p[j] = g * a[j] / (1.0F + VectorExp(-a[j])) * u[j];
  }
}

MOEPROBE_CLONES
float GatedGradientRow(const GradientRow& row, const float* a, const float* u,
                       float* da, float* du) {
  const auto [dp, g, columns, p] = row;
  LaneSum sum;
  Tile terms;
  for (int64_t begin = 0; begin < columns; begin += kTile) {
    const int64_t count = std::min(kTile, columns - begin);
    for (int64_t i = 0, j = begin; i < count; ++i, ++j) {
      const float sigmoid = 1.0F / (1.0F + VectorExp(-a[j]));
      const float silu = a[j] * sigmoid;
      const float value = silu * u[j];
      terms[i] = dp[j] * value;
      p[j] = g * value;
      da[j] = dp[j] * g * u[j] * sigmoid * (1.0F + a[j] * (1.0F - sigmoid));
      du[j] = dp[j] * g * silu;
    }
    sum.Add(terms, count);
  }
  return sum.Total();
}

}  // namespace moeprobe
