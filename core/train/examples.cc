#include "core/train/examples.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/gelu.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/randint.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/var_mean.h>
#include <ATen/ops/zeros.h>
#include <c10/core/ScalarType.h>

#include <cmath>
#include <cstdint>

#include "core/plan/decoder_shape.h"
#include "core/train/example_options.h"
#include "core/train/training_stream.h"

namespace moeprobe {
namespace {

// What is drawn, each from random numbers of its own.
enum class ExampleDraw : std::uint8_t {
  kCentres,
  kClusters,
  kInputs,
  kFirstLayer,
  kFirstBias,
  kSecondLayer,
  kNoise,
};

class Draws {
 public:
  explicit Draws(int64_t seed) : seed_(seed) {}

  at::Generator Of(ExampleDraw draw) const {
    return at::detail::createCPUGenerator(
        TrainingStream(seed_, TrainingDraw::kExamples,
                       static_cast<int64_t>(draw))
            .Next());
  }

  // Numbers from normal(0, 1), float32.
  at::Tensor Normal(ExampleDraw draw, at::IntArrayRef sizes) const {
    return at::randn(sizes, Of(draw), at::kFloat);
  }

 private:
  int64_t seed_;
};

// Outputs of teachers, each for the examples `group` [N] gives it.
at::Tensor AskTeachers(const Draws& draws, const Examples& examples,
                       const at::Tensor& group, int64_t teachers, int64_t width,
                       int64_t outputs) {
  const int64_t d = examples.inputs.size(1);
  const at::Tensor first =
      draws.Normal(ExampleDraw::kFirstLayer, {teachers, width, d}) /
      std::sqrt(static_cast<double>(d));
  const at::Tensor bias =
      draws.Normal(ExampleDraw::kFirstBias, {teachers, width});
  const at::Tensor second =
      draws.Normal(ExampleDraw::kSecondLayer, {teachers, outputs, width}) /
      std::sqrt(static_cast<double>(width));
  at::Tensor y = at::zeros({group.size(0), outputs}, at::kFloat);
  for (int64_t k = 0; k < teachers; ++k) {
    const at::Tensor rows = group.eq(k).nonzero().flatten();
    const at::Tensor x = examples.inputs.index_select(0, rows);
    const at::Tensor hidden = at::gelu(at::linear(x, first[k], bias[k]));
    y.index_copy_(0, rows, at::linear(hidden, second[k]));
  }
  return y;
}

at::Tensor Standardised(const at::Tensor& y) {
  const auto [variance, mean] = at::var_mean(y.to(at::kDouble), 0, false);
  return ((y - mean) / variance.sqrt()).to(at::kFloat);
}

}  // namespace

Examples MakeExamples(const ExampleOptions& options,
                      const DecoderShape& shape) {
  const at::NoGradGuard no_gradients;
  const Draws draws(options.seed);
  const int64_t count = shape.vocabulary, d = shape.width;
  Examples examples;
  examples.clusters = at::randint(options.clusters, {count},
                                  draws.Of(ExampleDraw::kClusters), at::kLong);
  const at::Tensor centres =
      draws.Normal(ExampleDraw::kCentres, {options.clusters, d}) *
      options.separation;
  examples.inputs = centres.index_select(0, examples.clusters) +
                    draws.Normal(ExampleDraw::kInputs, {count, d});
  const bool is_shared = options.teacher == Teacher::kShared;
  const at::Tensor group =
      is_shared ? at::zeros({count}, at::kLong) : examples.clusters;
  const at::Tensor y =
      Standardised(AskTeachers(draws, examples, group,
                               is_shared ? 1 : options.clusters,
                               options.teacher_width, shape.outputs)) +
      draws.Normal(ExampleDraw::kNoise, {count, shape.outputs}) * options.noise;
  examples.targets =
      options.objective == Objective::kClassification ? y.argmax(1) : y;
  return examples;
}

}  // namespace moeprobe
