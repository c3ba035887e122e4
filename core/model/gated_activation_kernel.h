#ifndef MOEPROBE_CORE_MODEL_GATED_ACTIVATION_KERNEL_H_
#define MOEPROBE_CORE_MODEL_GATED_ACTIVATION_KERNEL_H_

#include <cstdint>

namespace moeprobe {

// A block of pre-activations, a token a row. `Element` is float, or uint16_t
// for the bits of a bfloat16.
template <typename Element>
struct ActivationBlock {
  const Element* gate;    // [tokens, stride]
  const Element* up;      // [tokens, stride]
  Element* output;        // [*, stride]
  const int64_t* rows;    // [tokens]: row of `output`, or -1
  const float* weights;   // [weightings, tokens]
  const int64_t* groups;  // [tokens]: which sums a token is added to
  double* slope;          // [groups, weightings, stride], added to
  double* value;          // [groups, weightings, stride], added to
  int64_t tokens;
  int64_t stride;      // f
  int64_t weightings;  // at least one
};

// Weightings one block may have.
inline constexpr int64_t kMaxWeightings = 4;

// Columns one call of the kernel works on.
inline constexpr int64_t kActivationTile = 64;

// Writes silu(gate) up of `columns` pre-activations of one token.
void GatedActivationRow(const float* gate, const float* up, int64_t columns,
                        float* output);
void GatedActivationRow(const uint16_t* gate, const uint16_t* up,
                        int64_t columns, uint16_t* output);

// Works on `columns` <= kActivationTile columns from `first_column` on. See
// ApplyGatedActivation.
void GatedActivationTile(const ActivationBlock<float>& block,
                         int64_t first_column, int64_t columns);
void GatedActivationTile(const ActivationBlock<uint16_t>& block,
                         int64_t first_column, int64_t columns);

// Writes silu'(gate) up and silu(gate) of `columns` pre-activations of one
// token.
void GatedTermsRow(const float* gate, const float* up, int64_t columns,
                   float* slope, float* value);
void GatedTermsRow(const uint16_t* gate, const uint16_t* up, int64_t columns,
                   float* slope, float* value);

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_MODEL_GATED_ACTIVATION_KERNEL_H_
