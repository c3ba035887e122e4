#ifndef MOEPROBE_CORE_TRAIN_EXPERT_ACTIVATION_KERNEL_H_
#define MOEPROBE_CORE_TRAIN_EXPERT_ACTIVATION_KERNEL_H_

#include <cstdint>

namespace moeprobe {

// One row of `columns` pre-activations, compiled for each instruction set.
// Every row is computed in one order, whatever thread does it. No two of the
// arrays may overlap.

// p = g gelu(z + bias), gelu(z) = z Phi(z) with the normal distribution
// function Phi to 1e-7 (Abramowitz & Stegun 7.1.26).
void GeluRow(const float* z, const float* bias, float g, int64_t columns,
             float* p);

// A row to differentiate.
struct GradientRow {
  const float* dp = nullptr;  // dL/dp
  float g = 0;
  int64_t columns = 0;
  float* p = nullptr;  // is written
};

// Given dL/dp, writes dL/dz and p, and returns dL/dg.
float GeluGradientRow(const GradientRow& row, const float* z, const float* bias,
                      float* dz);

// p = g silu(a) u.
void GatedRow(const float* a, const float* u, float g, int64_t columns,
              float* p);

// Given dL/dp, writes dL/da, dL/du and p, and returns dL/dg.
float GatedGradientRow(const GradientRow& row, const float* a, const float* u,
                       float* da, float* du);

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_TRAIN_EXPERT_ACTIVATION_KERNEL_H_
