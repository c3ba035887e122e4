#ifndef MOEPROBE_CORE_PROBE_ROUTED_ROWS_H_
#define MOEPROBE_CORE_PROBE_ROUTED_ROWS_H_

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "core/geometry/principal_components.h"
#include "core/model/router.h"
#include "core/probe/probe_options.h"

namespace moeprobe {

// Returns the rows whose PCA is that of an expert's routed data set H_e (eq. 7)
// in the given reading:
//   routed           g h over the n tokens routed to e, centred, / (n - 1)
//   all_tokens       g h over all T tokens, zero where not routed, / (T - 1)
//   sample_weighted  mean mu = sum g h / sum g,
//                    covariance sum g (h - mu)(h - mu)' / sum g
//
// `h` [T, d] float32. `routed`: the expert's tokens that count; at least 2.
// `token_count`: all tokens that count.
CentredRows RoutedRows(const at::Tensor& h, const ExpertTokens& routed,
                       int64_t token_count, Convention convention);

// Returns the rows of all of `h`, centred, / (T - 1): no routing.
CentredRows ReferenceRows(const at::Tensor& h);

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_PROBE_ROUTED_ROWS_H_
