#ifndef MOEPROBE_BENCH_PRECISION_AGREEMENT_H_
#define MOEPROBE_BENCH_PRECISION_AGREEMENT_H_

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "absl/status/statusor.h"
#include "core/checkpoint/checkpoint.h"

namespace moeprobe {

// How far the forward pass in bfloat16 stays with the one in float32.
struct PrecisionAgreement {
  // Share of all choices (token, layer, one of k experts) of the float32 pass
  // that the bfloat16 pass made, too, in whatever order.
  double chosen = 0;
  double float32_nll = 0;  // mean next-token loss, nats
  double bfloat16_nll = 0;
};

// Sends `token_ids` [T] int64, whole windows of `sequence_length`, through all
// layers twice: each pass keeps to its precision and to its own choices.
//
// Returns FailedPrecondition if the model has no MoE layer.
absl::StatusOr<PrecisionAgreement> ComparePrecisions(
    const Checkpoint& checkpoint, const at::Tensor& token_ids,
    int64_t sequence_length);

}  // namespace moeprobe

#endif  // MOEPROBE_BENCH_PRECISION_AGREEMENT_H_
