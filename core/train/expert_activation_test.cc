#include "core/train/expert_activation.h"

#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/gelu.h>
#include <ATen/ops/linspace.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/silu.h>
#include <ATen/ops/zeros.h>
#include <c10/core/ScalarType.h>
#include <torch/csrc/autograd/autograd.h>

#include <cmath>
#include <cstdint>

#include "gtest/gtest.h"

namespace moeprobe {
namespace {

// No multiple of the kernel's tiles or lanes.
constexpr int64_t kRows = 37;
constexpr int64_t kColumns = 83;
constexpr int64_t kExperts = 3;

double MaxDistance(const at::Tensor& a, const at::Tensor& b) {
  return (a.to(at::kDouble) - b.to(at::kDouble)).abs().max().item<double>();
}

// The same in float64, one operation at a time, for autograd. Rows take the
// biases of three experts in turn.
at::Tensor Naive(const PreActivations& z, const at::Tensor& gates) {
  if (z.gate.defined()) return at::silu(z.gate) * z.up * gates.unsqueeze(1);
  const at::Tensor expert =
      at::arange(z.up.size(0), at::kLong).remainder(kExperts);
  return at::gelu(z.up + z.bias.to(at::kDouble).index_select(0, expert)) *
         gates.unsqueeze(1);
}

PreActivations RandomRows(bool is_gated) {
  at::manual_seed(1);
  PreActivations z;
  z.up = at::randn({kRows, kColumns}) * 3;
  if (is_gated) {
    z.gate = at::randn({kRows, kColumns}) * 3;
  } else {
    z.bias = at::randn({kExperts, kColumns});
  }
  return z;
}

at::Tensor Activated(const PreActivations& z, const at::Tensor& gates) {
  at::Tensor p = at::empty_like(z.up);
  ActivateRows(z, gates, p);
  return p;
}

ActivationGradients Differentiated(const at::Tensor& dp,
                                   const PreActivations& z,
                                   const at::Tensor& gates) {
  const ActivationGradients result{.gate = at::empty_like(dp),
                                   .up = at::empty_like(dp),
                                   .p = at::empty_like(dp),
                                   .gates = at::empty_like(gates)};
  DifferentiateRows(dp, z, gates, result);
  return result;
}

at::Tensor Leaf(const at::Tensor& tensor) {
  if (!tensor.defined()) return {};
  return tensor.to(at::kDouble).detach().requires_grad_();
}

class ExpertActivationTest : public testing::TestWithParam<bool> {};

TEST_P(ExpertActivationTest, ComputesWhatTheFormulaSays) {
  const PreActivations z = RandomRows(GetParam());
  const at::Tensor gates = at::rand({kRows});
  // Values up to 100 (gated), each rounded a few times to 6e-8 of itself.
  const at::Tensor expected = Naive(
      {.gate = Leaf(z.gate), .up = Leaf(z.up), .bias = z.bias}, Leaf(gates));
  EXPECT_LT(MaxDistance(Activated(z, gates), expected), 2e-5);
  EXPECT_LT(MaxDistance(Differentiated(z.up, z, gates).p, expected), 2e-5);
}

TEST_P(ExpertActivationTest, HasTheGradientThatAutogradFinds) {
  const PreActivations z = RandomRows(GetParam());
  const at::Tensor gates = at::rand({kRows}), dp = at::randn({kRows, kColumns});
  const PreActivations leaves{
      .gate = Leaf(z.gate), .up = Leaf(z.up), .bias = z.bias};
  const at::Tensor gate_leaves = Leaf(gates);
  torch::autograd::variable_list inputs{leaves.up, gate_leaves};
  if (GetParam()) inputs.push_back(leaves.gate);
  const auto expected = torch::autograd::grad({Naive(leaves, gate_leaves)},
                                              inputs, {dp.to(at::kDouble)});
  const ActivationGradients found = Differentiated(dp, z, gates);
  EXPECT_LT(MaxDistance(found.up, expected[0]), 2e-5);
  // Sums of 83 such terms.
  EXPECT_LT(MaxDistance(found.gates, expected[1]), 2e-4);
  if (GetParam()) {
    EXPECT_LT(MaxDistance(found.gate, expected[2]), 2e-5);
  }
}

TEST_P(ExpertActivationTest, DoesNotDependOnThreads) {
  const PreActivations z = RandomRows(GetParam());
  const at::Tensor gates = at::rand({kRows}), dp = at::randn({kRows, kColumns});
  const int before = at::get_num_threads();
  at::set_num_threads(1);
  const ActivationGradients one = Differentiated(dp, z, gates);
  at::set_num_threads(3);
  const ActivationGradients three = Differentiated(dp, z, gates);
  at::set_num_threads(before);
  EXPECT_TRUE(one.gates.equal(three.gates));
  EXPECT_TRUE(one.up.equal(three.up));
}

TEST_P(ExpertActivationTest, AcceptsNoRows) {
  const PreActivations all = RandomRows(GetParam());
  PreActivations none{.up = all.up.slice(0, 0, 0), .bias = all.bias};
  if (GetParam()) none.gate = all.gate.slice(0, 0, 0);
  const at::Tensor gates = at::ones({0});
  EXPECT_EQ(Activated(none, gates).size(0), 0);
  EXPECT_EQ(Differentiated(none.up, none, gates).gates.size(0), 0);
}

INSTANTIATE_TEST_SUITE_P(Kinds, ExpertActivationTest, testing::Bool());

// The approximation of the distribution function is good to 7.5e-8 absolutely,
// the rounding of z near 10 is 1e-6.
TEST(GeluTest, HoldsFarOut) {
  PreActivations z{.up = at::linspace(-30, 30, 6001).view({1, -1}),
                   .bias = at::zeros({1, 6001})};
  const at::Tensor found = Activated(z, at::ones({1}));
  EXPECT_LT(MaxDistance(found, at::gelu(z.up.to(at::kDouble))), 2e-6);
  EXPECT_LT(found[0][0].abs().item<double>(), 1e-37);
  EXPECT_EQ(found[0][6000].item<float>(), 30);
}

TEST(GeluTest, PassesNotANumberOn) {
  const PreActivations z{.up = at::ones({1, 3}) * std::nan(""),
                         .bias = at::zeros({1, 3})};
  EXPECT_TRUE(Activated(z, at::ones({1})).isnan().all().item<bool>());
}

}  // namespace
}  // namespace moeprobe
