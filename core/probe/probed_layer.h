#ifndef MOEPROBE_CORE_PROBE_PROBED_LAYER_H_
#define MOEPROBE_CORE_PROBE_PROBED_LAYER_H_

#include <ATen/core/Tensor.h>

#include <functional>
#include <span>

#include "absl/status/status.h"
#include "core/checkpoint/checkpoint.h"
#include "core/model/router.h"

namespace moeprobe {

// A layer as probes of single tokens see it.
struct ProbedLayer {
  const LayerTensors& tensors;
  const at::Tensor& h;  // [T, d] float32: input of the block
  const Routing& routing;
  const at::Tensor& counted;  // [T] bool: tokens that count
};

// Returns the routed experts of a layer; of a dense one, its MLP.
inline std::span<const MlpTensors> RoutedExperts(const LayerTensors& tensors) {
  if (tensors.dense) return {&*tensors.dense, 1};
  return tensors.experts;
}

// Called with the share of a probe's work that is done. A status other than OK
// stops it.
using ShareReport = std::function<absl::Status(double share)>;

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_PROBE_PROBED_LAYER_H_
