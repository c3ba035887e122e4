#ifndef MOEPROBE_CORE_GEOMETRY_PAIR_MEANS_H_
#define MOEPROBE_CORE_GEOMETRY_PAIR_MEANS_H_

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace moeprobe {

// Returns the places of the pairs i < j of `count` in a flattened matrix of
// them, ascending: [count (count - 1) / 2] int64.
at::Tensor PairPlaces(int64_t count);

// Returns the mean over pairs i < j of each of `matrices` [n, E, E] float64,
// [n], without entries that are NaN; NaN where none is left.
at::Tensor MeansOverPairs(const at::Tensor& matrices);

// The same of one matrix [E, E].
double MeanOverPairs(const at::Tensor& matrix);

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_GEOMETRY_PAIR_MEANS_H_
