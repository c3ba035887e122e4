#include "core/probe/significance_arrays.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/scalar_tensor.h>
#include <ATen/ops/tensor.h>
#include <c10/core/ScalarType.h>

#include <string>

#include "core/probe/probe_result.h"
#include "core/significance/replicate_summary.h"
#include "core/tensor/tensor_array.h"

namespace moeprobe {
namespace {

bool AreDrawn(const at::Tensor& draws) {
  return draws.defined() && draws.numel() > 0;
}

// Where the arrays of one quantity go.
struct Destination {
  const std::string& quantity;
  const std::string& probe;
  bool keep_draws;
  ProbeResult& result;

  void Add(const std::string& name, const at::Tensor& value) const {
    result.arrays.push_back({.name = quantity + "/" + name,
                             .probe = probe,
                             .array = ToArray(value)});
  }
  void Add(const std::string& name, double value) const {
    Add(name, at::scalar_tensor(value, at::kDouble));
  }
};

void AddBootstrap(double observed, const at::Tensor& draws,
                  const Destination& to) {
  const Interval interval = BootstrapInterval(observed, draws);
  to.Add("se", DeviationOfDraws(draws));
  to.Add("interval", at::tensor({interval.low, interval.high}, at::kDouble));
  to.Add("bootstrap_draws", draws);
}

// `kind` is "", "permutation_" or "random_weights_".
void AddNull(const std::string& kind, double observed, const at::Tensor& draws,
             const Destination& to) {
  to.Add(kind + "null_mean", MeanOfDraws(draws));
  to.Add(kind + "null_std", DeviationOfDraws(draws));
  to.Add(kind + "p", PValue(observed, draws));
  if (to.keep_draws) to.Add(kind + "null_draws", draws);
}

}  // namespace

void AddSignificance(const std::string& quantity, const std::string& probe,
                     const MeanReplicates& mean, bool keep_draws,
                     ProbeResult& result) {
  const Destination to{.quantity = quantity,
                       .probe = probe,
                       .keep_draws = keep_draws,
                       .result = result};
  const double shift = mean.observed - mean.replicate;
  if (AreDrawn(mean.bootstrap)) {
    AddBootstrap(mean.observed, mean.bootstrap + shift, to);
  }
  if (AreDrawn(mean.random_router)) {
    AddNull("", mean.observed, mean.random_router + shift, to);
  }
  if (AreDrawn(mean.permutation)) {
    AddNull("permutation_", mean.observed, mean.permutation + shift, to);
  }
  if (AreDrawn(mean.random_weights)) {
    AddNull("random_weights_", mean.observed, mean.random_weights + shift, to);
  }
}

}  // namespace moeprobe
