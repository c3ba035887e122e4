#include "core/model/mlp_activation_kernel.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>

#include "core/model/vector_exp.h"
#include "core/model/vector_normal.h"

namespace moeprobe {
namespace {

// Tokens summed in float32 before float64 takes over: their rounding errors
// stay below 256 eps = 3e-5 of the largest term, and average out.
constexpr int64_t kTokensPerPartialSum = 256;

using Tile = std::array<float, kActivationTile>;

MOEPROBE_INLINE float Load(float x) { return x; }
MOEPROBE_INLINE float Load(uint16_t bits) {
  return std::bit_cast<float>(static_cast<uint32_t>(bits) << 16U);
}

MOEPROBE_INLINE void Store(float x, float* to) { *to = x; }
MOEPROBE_INLINE void Store(float x, uint16_t* to) {  // rounds to nearest even
  const auto bits = std::bit_cast<uint32_t>(x);
  *to = static_cast<uint16_t>((bits + 0x7FFFU + ((bits >> 16U) & 1U)) >> 16U);
}

// What the two kinds of MLP make of the pre-activations at one place: its
// output, what the column of W_gate is multiplied with in the Jacobian, and
// that of W_up, if there is one.
struct Unit {
  float output;
  float slope;
  float value;
};

struct Gated {
  static constexpr bool kHasValue = true;

  template <typename Element>
  static MOEPROBE_INLINE Unit At(const ActivationInput<Element>& input,
                                 int64_t j) {
    const float g = Load(input.gate[j]);
    const float u = Load(input.up[j]);
    const float sigmoid = 1.0F / (1.0F + VectorExp(-g));
    const float silu = g * sigmoid;
    return {.output = silu * u,
            .slope = sigmoid * (1.0F + g * (1.0F - sigmoid)) * u,
            .value = silu};
  }
};

struct TwoLayer {
  static constexpr bool kHasValue = false;

  template <typename Element>
  static MOEPROBE_INLINE Unit At(const ActivationInput<Element>& input,
                                 int64_t j) {
    const float z = Load(input.gate[j]);
    const Normal normal = NormalAt(z);
    return {.output = z * normal.below,
            .slope = normal.below + z * normal.density,
            .value = 0};
  }
};

// The pre-activations of a token from a column on.
template <typename Mlp, typename Element>
MOEPROBE_INLINE ActivationInput<Element> InputAt(
    const ActivationBlock<Element>& block, int64_t token, int64_t column) {
  const int64_t offset = token * block.stride + column;
  return {.gate = block.input.gate + offset,
          .up = Mlp::kHasValue ? block.input.up + offset : nullptr};
}

template <typename Mlp, typename Element>
MOEPROBE_INLINE void ActivateRow(const ActivationInput<Element>& input,
                                 int64_t columns, Element* output) {
  for (int64_t j = 0; j < columns; ++j) {
    Store(Mlp::At(input, j).output, output + j);
  }
}

template <typename Mlp, typename Element>
MOEPROBE_INLINE void WriteTerms(const ActivationInput<Element>& input,
                                int64_t columns, float* slope, float* value) {
  for (int64_t j = 0; j < columns; ++j) {
    const Unit unit = Mlp::At(input, j);
    slope[j] = unit.slope;
    if constexpr (Mlp::kHasValue) value[j] = unit.value;
  }
}

// The partial sums of a tile, by weighting.
struct TileSums {
  std::array<Tile, kMaxWeightings> slope{};
  std::array<Tile, kMaxWeightings> value{};  // not used where there is none
};

// Adds the tokens [begin, end) to the partial sums of one tile.
template <typename Mlp, typename Element>
MOEPROBE_INLINE void AddTokens(const ActivationBlock<Element>& block,
                               int64_t column, int64_t columns, int64_t begin,
                               int64_t end, TileSums& sums) {
  Tile a, b, product;
  for (int64_t t = begin; t < end; ++t) {
    const ActivationInput<Element> input = InputAt<Mlp>(block, t, column);
    for (int64_t j = 0; j < columns; ++j) {
      const Unit unit = Mlp::At(input, j);
      product[j] = unit.output;
      a[j] = unit.slope;
      b[j] = unit.value;
    }
    if (const int64_t row = block.rows[t]; row >= 0) {
      Element* output = block.output + row * block.stride + column;
      for (int64_t j = 0; j < columns; ++j) Store(product[j], output + j);
    }
    for (int64_t w = 0; w < block.weightings; ++w) {
      const float weight = block.weights[w * block.tokens + t];
      if (weight == 0.0F) continue;
      for (int64_t j = 0; j < columns; ++j) {
        sums.slope[w][j] += weight * a[j];
        if constexpr (Mlp::kHasValue) sums.value[w][j] += weight * b[j];
      }
    }
  }
}

// Adds partial sums over tokens of one group to its sums.
template <typename Mlp, typename Element>
MOEPROBE_INLINE void AddToGroup(const ActivationBlock<Element>& block,
                                int64_t column, int64_t columns, int64_t group,
                                const TileSums& sums) {
  for (int64_t w = 0; w < block.weightings; ++w) {
    const int64_t place =
        (group * block.weightings + w) * block.stride + column;
    for (int64_t j = 0; j < columns; ++j) {
      block.slope[place + j] += sums.slope[w][j];
      if constexpr (Mlp::kHasValue) block.value[place + j] += sums.value[w][j];
    }
  }
}

// The end of the partial sum that begins with token `begin`: all of one group.
template <typename Element>
MOEPROBE_INLINE int64_t PartialSumEnd(const ActivationBlock<Element>& block,
                                      int64_t begin) {
  const int64_t most = std::min(begin + kTokensPerPartialSum, block.tokens);
  int64_t end = begin + 1;
  while (end < most && block.groups[end] == block.groups[begin]) ++end;
  return end;
}

template <typename Mlp, typename Element>
MOEPROBE_INLINE void RunTile(const ActivationBlock<Element>& block,
                             int64_t column, int64_t columns) {
  for (int64_t begin = 0; begin < block.tokens;) {
    const int64_t end = PartialSumEnd(block, begin);
    TileSums sums;
    AddTokens<Mlp>(block, column, columns, begin, end, sums);
    AddToGroup<Mlp>(block, column, columns, block.groups[begin], sums);
    begin = end;
  }
}

// Runs a row or a tile of whichever kind the input is of.
template <typename Element>
MOEPROBE_INLINE void ActivateAnyRow(const ActivationInput<Element>& input,
                                    int64_t columns, Element* output) {
  if (input.up != nullptr) {
    ActivateRow<Gated>(input, columns, output);
  } else {
    ActivateRow<TwoLayer>(input, columns, output);
  }
}

template <typename Element>
MOEPROBE_INLINE void WriteAnyTerms(const ActivationInput<Element>& input,
                                   int64_t columns, float* slope,
                                   float* value) {
  if (input.up != nullptr) {
    WriteTerms<Gated>(input, columns, slope, value);
  } else {
    WriteTerms<TwoLayer>(input, columns, slope, value);
  }
}

template <typename Element>
MOEPROBE_INLINE void RunAnyTile(const ActivationBlock<Element>& block,
                                int64_t column, int64_t columns) {
  if (block.input.up != nullptr) {
    RunTile<Gated>(block, column, columns);
  } else {
    RunTile<TwoLayer>(block, column, columns);
  }
}

}  // namespace

MOEPROBE_CLONES
void ActivationRow(const ActivationInput<float>& input, int64_t columns,
                   float* output) {
  ActivateAnyRow(input, columns, output);
}

MOEPROBE_CLONES
void ActivationRow(const ActivationInput<uint16_t>& input, int64_t columns,
                   uint16_t* output) {
  ActivateAnyRow(input, columns, output);
}

MOEPROBE_CLONES
void TermsRow(const ActivationInput<float>& input, int64_t columns,
              float* slope, float* value) {
  WriteAnyTerms(input, columns, slope, value);
}

MOEPROBE_CLONES
void TermsRow(const ActivationInput<uint16_t>& input, int64_t columns,
              float* slope, float* value) {
  WriteAnyTerms(input, columns, slope, value);
}

MOEPROBE_CLONES
void ActivationTile(const ActivationBlock<float>& block, int64_t first_column,
                    int64_t columns) {
  RunAnyTile(block, first_column, columns);
}

MOEPROBE_CLONES
void ActivationTile(const ActivationBlock<uint16_t>& block,
                    int64_t first_column, int64_t columns) {
  RunAnyTile(block, first_column, columns);
}

}  // namespace moeprobe
