#ifndef MOEPROBE_BENCH_GEMM_RATE_H_
#define MOEPROBE_BENCH_GEMM_RATE_H_

#include <c10/core/ScalarType.h>

#include <cstdint>

#include "bench/figure.h"

namespace moeprobe {

// A product x w' as at::linear computes it: x [rows, inner], w [columns,
// inner].
struct GemmShape {
  int64_t rows = 0;
  int64_t columns = 0;
  int64_t inner = 0;
};

// The shape that rates are compared at.
inline constexpr GemmShape kReferenceShape{
    .rows = 2048, .columns = 2048, .inner = 2048};

// Returns the median rate of a product of that shape and type, in floating
// point operations a second, on the threads LibTorch has.
double GemmRate(GemmShape shape, at::ScalarType type, int repetitions);

// The rates of float32, bfloat16 and float64 at the reference shape and at the
// shapes of experts' products.
Figure GemmBenchmark(int repetitions);

}  // namespace moeprobe

#endif  // MOEPROBE_BENCH_GEMM_RATE_H_
