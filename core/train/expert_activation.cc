#include "core/train/expert_activation.h"

#include <ATen/Parallel.h>
#include <ATen/core/Tensor.h>

#include <algorithm>
#include <cstdint>

#include "absl/functional/function_ref.h"
#include "core/train/expert_activation_kernel.h"

namespace moeprobe {
namespace {

// Numbers a thread computes at least: less is not worth another thread.
constexpr int64_t kGrain = int64_t{1} << 14;

// Calls run(i) for every row, on all threads.
void ForRows(const at::Tensor& matrix, absl::FunctionRef<void(int64_t)> run) {
  const int64_t columns = std::max<int64_t>(matrix.size(1), 1);
  at::parallel_for(0, matrix.size(0), std::max<int64_t>(kGrain / columns, 1),
                   [&](int64_t begin, int64_t end) {
                     for (int64_t i = begin; i < end; ++i) run(i);
                   });
}

// The rows of a matrix.
class Rows {
 public:
  explicit Rows(const at::Tensor& matrix)
      : data_(matrix.data_ptr<float>()), columns_(matrix.size(1)) {}

  float* operator[](int64_t row) const { return data_ + row * columns_; }

 private:
  float* data_;
  int64_t columns_;
};

}  // namespace

void ActivateRows(const PreActivations& pre_activations,
                  const at::Tensor& gates, const at::Tensor& p) {
  const Rows up(pre_activations.up), to(p);
  const auto* g = gates.const_data_ptr<float>();
  const int64_t columns = p.size(1);
  if (pre_activations.gate.defined()) {
    const Rows gate(pre_activations.gate);
    ForRows(p,
            [&](int64_t i) { GatedRow(gate[i], up[i], g[i], columns, to[i]); });
    return;
  }
  const Rows bias(pre_activations.bias);
  const int64_t experts = pre_activations.bias.size(0);
  ForRows(p, [&](int64_t i) {
    GeluRow(up[i], bias[i % experts], g[i], columns, to[i]);
  });
}

void DifferentiateRows(const at::Tensor& dp,
                       const PreActivations& pre_activations,
                       const at::Tensor& gates,
                       const ActivationGradients& result) {
  const Rows loss(dp), up(pre_activations.up), du(result.up), p(result.p);
  const auto* g = gates.const_data_ptr<float>();
  auto* dg = result.gates.data_ptr<float>();
  const int64_t columns = dp.size(1);
  if (pre_activations.gate.defined()) {
    const Rows gate(pre_activations.gate), da(result.gate);
    ForRows(dp, [&](int64_t i) {
      dg[i] = GatedGradientRow({loss[i], g[i], columns, p[i]}, gate[i], up[i],
                               da[i], du[i]);
    });
    return;
  }
  const Rows bias(pre_activations.bias);
  const int64_t experts = pre_activations.bias.size(0);
  ForRows(dp, [&](int64_t i) {
    dg[i] = GeluGradientRow({loss[i], g[i], columns, p[i]}, up[i],
                            bias[i % experts], du[i]);
  });
}

}  // namespace moeprobe
