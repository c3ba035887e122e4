#ifndef MOEPROBE_CORE_TRAIN_ADAM_H_
#define MOEPROBE_CORE_TRAIN_ADAM_H_

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "core/train/training_options.h"

namespace moeprobe {

// Adam (Kingma & Ba, 2015), as torch.optim.Adam(fused=True) computes it.
class Adam {
 public:
  // `parameters` are updated in place. Moments begin at 0.
  Adam(std::vector<at::Tensor> parameters, const AdamOptions& options);

  // Makes one step against `gradients`, one for each parameter.
  void Step(const std::vector<at::Tensor>& gradients, double learning_rate);

  // The state, in the order of the parameters: it may be written to, to go on
  // where another run stopped.
  const std::vector<at::Tensor>& first_moments() const { return first_; }
  const std::vector<at::Tensor>& second_moments() const { return second_; }
  int64_t steps() const;
  void set_steps(int64_t steps);

 private:
  AdamOptions options_;
  std::vector<at::Tensor> parameters_;
  std::vector<at::Tensor> first_, second_;
  at::Tensor step_;                // [] float32
  std::vector<at::Tensor> steps_;  // step_, once for each parameter
};

// Returns the norm of all gradients together.
double GradientNorm(const std::vector<at::Tensor>& gradients);

// Scales gradients of norm `norm` down to the norm `limit` where it is larger,
// as torch.nn.utils.clip_grad_norm_ does. `limit` 0: never.
void ClipGradients(const std::vector<at::Tensor>& gradients, double norm,
                   double limit);

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_TRAIN_ADAM_H_
