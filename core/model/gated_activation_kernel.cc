#include "core/model/gated_activation_kernel.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>

#include "core/model/vector_exp.h"

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

// silu(gate) * up of one token.
template <typename Element>
MOEPROBE_INLINE void MultiplyRow(const Element* gate, const Element* up,
                                 int64_t columns, Element* output) {
  for (int64_t j = 0; j < columns; ++j) {
    const float g = Load(gate[j]);
    const float sigmoid = 1.0F / (1.0F + VectorExp(-g));
    Store(g * sigmoid * Load(up[j]), output + j);
  }
}

// Adds the tokens [begin, end) to the partial sums of one tile.
template <typename Element>
MOEPROBE_INLINE void AddTokens(const ActivationBlock<Element>& block,
                               int64_t column, int64_t columns, int64_t begin,
                               int64_t end, Tile* slope, Tile* value) {
  Tile a, b, product;
  for (int64_t t = begin; t < end; ++t) {
    const Element* gate = block.gate + t * block.stride + column;
    const Element* up = block.up + t * block.stride + column;
    for (int64_t j = 0; j < columns; ++j) {
      const float g = Load(gate[j]);
      const float u = Load(up[j]);
      const float sigmoid = 1.0F / (1.0F + VectorExp(-g));
      b[j] = g * sigmoid;
      a[j] = sigmoid * (1.0F + g * (1.0F - sigmoid)) * u;
      product[j] = b[j] * u;
    }
    if (const int64_t row = block.rows[t]; row >= 0) {
      Element* output = block.output + row * block.stride + column;
      for (int64_t j = 0; j < columns; ++j) Store(product[j], output + j);
    }
    for (int64_t w = 0; w < block.weightings; ++w) {
      const float weight = block.weights[w * block.tokens + t];
      if (weight == 0.0F) continue;
      for (int64_t j = 0; j < columns; ++j) {
        slope[w][j] += weight * a[j];
        value[w][j] += weight * b[j];
      }
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

template <typename Element>
MOEPROBE_INLINE void RunTile(const ActivationBlock<Element>& block,
                             int64_t column, int64_t columns) {
  for (int64_t begin = 0; begin < block.tokens;) {
    const int64_t end = PartialSumEnd(block, begin);
    std::array<Tile, kMaxWeightings> slope{}, value{};
    AddTokens(block, column, columns, begin, end, slope.data(), value.data());
    for (int64_t w = 0; w < block.weightings; ++w) {
      const int64_t row = block.groups[begin] * block.weightings + w;
      for (int64_t j = 0; j < columns; ++j) {
        block.slope[row * block.stride + column + j] += slope[w][j];
        block.value[row * block.stride + column + j] += value[w][j];
      }
    }
    begin = end;
  }
}

template <typename Element>
MOEPROBE_INLINE void WriteTerms(const Element* gate, const Element* up,
                                int64_t columns, float* slope, float* value) {
  for (int64_t j = 0; j < columns; ++j) {
    const float g = Load(gate[j]);
    const float sigmoid = 1.0F / (1.0F + VectorExp(-g));
    value[j] = g * sigmoid;
    slope[j] = sigmoid * (1.0F + g * (1.0F - sigmoid)) * Load(up[j]);
  }
}

}  // namespace

MOEPROBE_CLONES
void GatedActivationRow(const float* gate, const float* up, int64_t columns,
                        float* output) {
  MultiplyRow(gate, up, columns, output);
}

MOEPROBE_CLONES
void GatedActivationRow(const uint16_t* gate, const uint16_t* up,
                        int64_t columns, uint16_t* output) {
  MultiplyRow(gate, up, columns, output);
}

MOEPROBE_CLONES
void GatedTermsRow(const float* gate, const float* up, int64_t columns,
                   float* slope, float* value) {
  WriteTerms(gate, up, columns, slope, value);
}

MOEPROBE_CLONES
void GatedTermsRow(const uint16_t* gate, const uint16_t* up, int64_t columns,
                   float* slope, float* value) {
  WriteTerms(gate, up, columns, slope, value);
}

MOEPROBE_CLONES
void GatedActivationTile(const ActivationBlock<float>& block,
                         int64_t first_column, int64_t columns) {
  RunTile(block, first_column, columns);
}

MOEPROBE_CLONES
void GatedActivationTile(const ActivationBlock<uint16_t>& block,
                         int64_t first_column, int64_t columns) {
  RunTile(block, first_column, columns);
}

}  // namespace moeprobe
