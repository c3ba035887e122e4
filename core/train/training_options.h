#ifndef MOEPROBE_CORE_TRAIN_TRAINING_OPTIONS_H_
#define MOEPROBE_CORE_TRAIN_TRAINING_OPTIONS_H_

#include <cstdint>

#include "absl/status/status.h"
#include "core/model/routing_rule.h"
#include "core/plan/decoder_shape.h"
#include "core/train/example_options.h"
#include "core/train/learning_rate.h"

namespace moeprobe {

// Deviation of Initialization::kNormal002.
inline constexpr double kInitialDeviation = 0.02;

// Where training begins. Factors of norms are 1 and their biases 0 in both.
enum class Initialization : std::uint8_t {
  // Matrices, router and embeddings normal(0, 0.02); biases 0.
  kNormal002,
  // PyTorch's own: embeddings normal(0, 1), the weights and biases of a linear
  // map uniform in (-1/sqrt(n), 1/sqrt(n)) with n inputs.
  kTorch,
};

// Constants of Adam beside the learning rate; PyTorch's defaults.
struct AdamOptions {
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-8;
};

// One training run: a variant of a model and a seed.
struct TrainingOptions {
  DecoderShape shape = {};
  ExampleOptions examples = {};  // of an MLP
  // Not looked at in a dense model; per_token = E is soft routing.
  RoutingRule routing = {.per_token = 2, .renormalize = true};
  Initialization initialization = Initialization::kNormal002;
  LearningRate learning_rate = {};
  AdamOptions adam = {};
  double clip = 0;          // norm that gradients are scaled down to; 0: none
  double balance_loss = 0;  // factor of the mean BalanceLoss over layers
  int64_t batch = 32;       // windows, or examples, a step
  int64_t steps = 2000;
  int64_t seed = 0;  // of weights and batches
};

// Returns InvalidArgument, naming the option, if one is out of range.
absl::Status CheckOptions(const TrainingOptions& options);

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_TRAIN_TRAINING_OPTIONS_H_
