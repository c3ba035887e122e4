#ifndef MOEPROBE_CORE_PROBE_EXPERT_SPREAD_H_
#define MOEPROBE_CORE_PROBE_EXPERT_SPREAD_H_

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

namespace moeprobe {

// Spreads what was found for the `experts` that have something, [n] or [n, n]
// float64, over all `count`: NaN for the others, [count] or [count, count].
at::Tensor SpreadOverExperts(const at::Tensor& values,
                             const std::vector<int64_t>& experts,
                             int64_t count);

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_PROBE_EXPERT_SPREAD_H_
