#include "core/train/adam.h"

#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/_fused_adam.h>
#include <ATen/ops/norm.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>
#include <c10/core/ScalarType.h>

#include <cmath>
#include <cstdint>
#include <utility>
#include <vector>

#include "core/train/training_options.h"

namespace moeprobe {
namespace {

std::vector<at::Tensor> ZerosLike(const std::vector<at::Tensor>& tensors) {
  std::vector<at::Tensor> zeros;
  zeros.reserve(tensors.size());
  for (const at::Tensor& tensor : tensors) {
    zeros.push_back(at::zeros_like(tensor.detach()));
  }
  return zeros;
}

// What clip_grad_norm_ adds to a norm.
constexpr double kNormOffset = 1e-6;

}  // namespace

Adam::Adam(std::vector<at::Tensor> parameters, const AdamOptions& options)
    : options_(options),
      parameters_(std::move(parameters)),
      first_(ZerosLike(parameters_)),
      second_(ZerosLike(parameters_)),
      step_(at::zeros({}, at::kFloat)),
      steps_(parameters_.size(), step_) {}

void Adam::Step(const std::vector<at::Tensor>& gradients,
                double learning_rate) {
  const at::NoGradGuard no_gradients;
  step_.add_(1);
  at::_fused_adam_(parameters_, gradients, first_, second_,
                   /*max_exp_avg_sqs=*/{}, steps_, learning_rate,
                   options_.beta1, options_.beta2, /*weight_decay=*/0,
                   options_.epsilon, /*amsgrad=*/false, /*maximize=*/false);
}

int64_t Adam::steps() const {
  return static_cast<int64_t>(step_.item<float>());
}

void Adam::set_steps(int64_t steps) { step_.fill_(steps); }

double GradientNorm(const std::vector<at::Tensor>& gradients) {
  double sum = 0;
  for (const at::Tensor& gradient : gradients) {
    const auto norm = gradient.norm().item<double>();
    sum += norm * norm;
  }
  return std::sqrt(sum);
}

void ClipGradients(const std::vector<at::Tensor>& gradients, double norm,
                   double limit) {
  if (limit == 0 || norm + kNormOffset <= limit) return;
  for (const at::Tensor& gradient : gradients) {
    gradient.mul_(limit / (norm + kNormOffset));
  }
}

}  // namespace moeprobe
