#include "core/train/initialization.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>

#include <cmath>
#include <cstdint>

#include "core/train/parameters.h"
#include "core/train/training_options.h"
#include "core/train/training_stream.h"

namespace moeprobe {
namespace {

void FillNormal002(const Parameter& parameter, const at::Generator& random) {
  if (parameter.role == ParameterRole::kBias) {
    parameter.tensor.zero_();
  } else {
    parameter.tensor.normal_(0, kInitialDeviation, random);
  }
}

void FillAsTorch(const Parameter& parameter, const at::Generator& random) {
  if (parameter.role == ParameterRole::kEmbedding) {
    parameter.tensor.normal_(0, 1, random);
    return;
  }
  const double bound = 1 / std::sqrt(static_cast<double>(parameter.inputs));
  parameter.tensor.uniform_(-bound, bound, random);
}

void Fill(const Parameter& parameter, Initialization initialization,
          int64_t seed) {
  if (parameter.role == ParameterRole::kNorm) {
    parameter.tensor.fill_(1);
    return;
  }
  if (parameter.role == ParameterRole::kNormBias) {
    parameter.tensor.zero_();
    return;
  }
  const at::Generator random = at::detail::createCPUGenerator(
      TrainingStream(seed, TrainingDraw::kWeights, parameter.number).Next());
  if (initialization == Initialization::kTorch) {
    FillAsTorch(parameter, random);
  } else {
    FillNormal002(parameter, random);
  }
}

}  // namespace

void InitializeParameters(const ModelParameters& model,
                          Initialization initialization, int64_t seed) {
  const at::NoGradGuard no_gradients;
  for (const Parameter& parameter : ListParameters(model)) {
    Fill(parameter, initialization, seed);
  }
}

}  // namespace moeprobe
