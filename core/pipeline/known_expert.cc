#include "core/pipeline/known_expert.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/full.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/zeros.h>
#include <c10/core/ScalarType.h>

#include <cmath>
#include <cstdint>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/checkpoint/checkpoint.h"
#include "core/model/activation_probe.h"
#include "core/model/mlp.h"
#include "core/model/mlp_activation.h"
#include "core/model/weight.h"
#include "core/probe/averaged_jacobian.h"
#include "core/tensor/torch_status.h"

namespace moeprobe {
namespace {

// With every input 1, all pre-activations W_gate x and W_up x are 1 as well:
// f(x) = silu(1) and each entry of J is (silu'(1) + silu(1)) / d.
constexpr int64_t kWidth = 64;   // d
constexpr int64_t kHidden = 96;  // f
constexpr int64_t kTokens = 8;
constexpr double kSigmoid = 0.73105857863000488;  // of 1
constexpr double kSilu = kSigmoid;
constexpr double kSiluSlope = kSigmoid * (2 - kSigmoid);

// Sums of 96 float32 round to 1e-6 at worst.
constexpr double kTolerance = 1e-5;

struct Answer {
  at::Tensor output;    // [kTokens, d]
  at::Tensor jacobian;  // [d, d]
};

Answer Compute() {
  const at::Tensor in = at::full({kHidden, kWidth}, 1.0 / kWidth, at::kFloat);
  const at::Tensor out = at::full({kWidth, kHidden}, 1.0 / kHidden, at::kFloat);
  const MlpTensors expert{.gate = ViewOf(in, "gate"),
                          .up = ViewOf(in, "up"),
                          .down = ViewOf(out, "down")};
  ActivationSums sums = ZeroActivationSums(1, 1, WidthsOf(expert));
  const at::Tensor ones = at::ones({kTokens}, at::kFloat);
  ExpertRun run = PlanRoutedTokens(
      {.tokens = at::arange(kTokens, at::kLong), .gates = ones});
  run.weights = ones.unsqueeze(0);
  run.groups = at::zeros({kTokens}, at::kLong);
  run.sums = &sums;
  const at::Tensor x = at::ones({kTokens, kWidth}, at::kFloat);
  const at::Tensor output = Mlp(expert, at::kFloat).Run(x, run);
  const AveragedJacobian average{.weights = &expert,
                                 .slope = sums.slope[0][0] / kTokens,
                                 .value = sums.value[0][0] / kTokens};
  return {.output = output, .jacobian = JacobianRows(average, 0, kWidth)};
}

// Every entry of `found`, NaN included.
absl::Status CheckEntries(const char* what, const at::Tensor& found,
                          double expected) {
  const at::Tensor distances = (found.to(at::kDouble) - expected).abs();
  const auto worst = distances.max().item<double>();
  if (worst <= kTolerance * expected) return absl::OkStatus();
  return absl::InternalError(absl::StrCat(
      what, " of a known expert is off by ", worst, ", expected ", expected,
      ": this machine, or a library on it, does not "
      "compute what it should"));
}

}  // namespace

absl::Status CheckKnownExpert() {
  const absl::StatusOr<Answer> answer = CatchTorchErrors(Compute);
  MOEPROBE_RETURN_IF_ERROR(answer.status());
  MOEPROBE_RETURN_IF_ERROR(CheckEntries("the output", answer->output, kSilu));
  return CheckEntries("the averaged Jacobian", answer->jacobian,
                      (kSiluSlope + kSilu) / kWidth);
}

}  // namespace moeprobe
