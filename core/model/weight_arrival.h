#ifndef MOEPROBE_CORE_MODEL_WEIGHT_ARRIVAL_H_
#define MOEPROBE_CORE_MODEL_WEIGHT_ARRIVAL_H_

#include <functional>

#include "absl/status/status.h"
#include "core/checkpoint/tensor_view.h"

namespace moeprobe {

// Waits until a weight is in memory; not OK if it cannot be read.
using WeightArrival = std::function<absl::Status(const TensorView& weight)>;

// For weights that are in memory, or may be read when they are touched.
inline absl::Status AlreadyArrived(const TensorView& /*weight*/) {
  return absl::OkStatus();
}

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_MODEL_WEIGHT_ARRIVAL_H_
