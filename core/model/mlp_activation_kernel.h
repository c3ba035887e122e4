#ifndef MOEPROBE_CORE_MODEL_MLP_ACTIVATION_KERNEL_H_
#define MOEPROBE_CORE_MODEL_MLP_ACTIVATION_KERNEL_H_

#include <cstdint>

namespace moeprobe {

// Pre-activations of one token. `Element` is float, or uint16_t for the bits of
// a bfloat16.
template <typename Element>
struct ActivationInput {
  const Element* gate;
  const Element* up;  // null in an MLP of two layers
};

// A block of pre-activations, a token a row.
template <typename Element>
struct ActivationBlock {
  ActivationInput<Element> input;  // [tokens, stride]
  Element* output;                 // [*, stride]
  const int64_t* rows;             // [tokens]: row of `output`, or -1
  const float* weights;            // [weightings, tokens]
  const int64_t* groups;           // [tokens]: which sums a token is added to
  double* slope;                   // [groups, weightings, stride], added to
  double* value;                   // the same; null in an MLP of two layers
  int64_t tokens;
  int64_t stride;      // f
  int64_t weightings;  // at least one
};

// Weightings one block may have.
inline constexpr int64_t kMaxWeightings = 4;

// Columns one call of the kernel works on.
inline constexpr int64_t kActivationTile = 64;

// Writes silu(gate) up, or gelu(gate), of `columns` pre-activations.
void ActivationRow(const ActivationInput<float>& input, int64_t columns,
                   float* output);
void ActivationRow(const ActivationInput<uint16_t>& input, int64_t columns,
                   uint16_t* output);

// Works on `columns` <= kActivationTile columns from `first_column` on. See
// ApplyActivation.
void ActivationTile(const ActivationBlock<float>& block, int64_t first_column,
                    int64_t columns);
void ActivationTile(const ActivationBlock<uint16_t>& block,
                    int64_t first_column, int64_t columns);

// Writes silu'(gate) up and silu(gate), or gelu'(gate) and nothing, of
// `columns` pre-activations.
void TermsRow(const ActivationInput<float>& input, int64_t columns,
              float* slope, float* value);
void TermsRow(const ActivationInput<uint16_t>& input, int64_t columns,
              float* slope, float* value);

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_MODEL_MLP_ACTIVATION_KERNEL_H_
