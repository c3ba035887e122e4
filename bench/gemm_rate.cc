#include "bench/gemm_rate.h"

#include <ATen/core/Tensor.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/randn.h>
#include <c10/core/ScalarType.h>

#include <array>
#include <string>
#include <utility>

#include "bench/figure.h"
#include "bench/repeated_runs.h"

namespace moeprobe {
namespace {

const std::array<std::pair<std::string, at::ScalarType>, 3>& Types() {
  static const auto& types =
      *new std::array<std::pair<std::string, at::ScalarType>, 3>{
          {{"float32", at::kFloat},
           {"bfloat16", at::kBFloat16},
           {"float64", at::kDouble}}};
  return types;
}

// The reference, and an expert's first product: on a full block of tokens, and
// on those that 16,384 tokens and 512 tokens give an expert.
const std::array<std::pair<std::string, GemmShape>, 6>& Shapes() {
  static const auto& shapes =
      *new std::array<std::pair<std::string, GemmShape>, 6>{
          {{"square 2048", kReferenceShape},
           {"Mixtral expert, 2048 tokens",
            {.rows = 2048, .columns = 14336, .inner = 4096}},
           {"Mixtral expert, 128 tokens",
            {.rows = 128, .columns = 14336, .inner = 4096}},
           {"Qwen expert, 2048 tokens",
            {.rows = 2048, .columns = 1408, .inner = 2048}},
           {"Qwen expert, 1092 tokens",
            {.rows = 1092, .columns = 1408, .inner = 2048}},
           {"Qwen expert, 34 tokens",
            {.rows = 34, .columns = 1408, .inner = 2048}}}};
  return shapes;
}

}  // namespace

double GemmRate(GemmShape shape, at::ScalarType type, int repetitions) {
  const at::Tensor x = at::randn({shape.rows, shape.inner}).to(type);
  const at::Tensor weight = at::randn({shape.columns, shape.inner}).to(type);
  const double seconds =
      MedianSeconds(repetitions, [&] { at::linear(x, weight); });
  return 2.0 * static_cast<double>(shape.rows) *
         static_cast<double>(shape.columns) * static_cast<double>(shape.inner) /
         seconds;
}

Figure GemmBenchmark(int repetitions) {
  Figure figure{{"benchmark", "gemm"}};
  for (const auto& [shape_name, shape] : Shapes()) {
    for (const auto& [type_name, type] : Types()) {
      figure["gflops"][shape_name][type_name] =
          GemmRate(shape, type, repetitions) / 1e9;
    }
  }
  return figure;
}

}  // namespace moeprobe
