#ifndef MOEPROBE_CORE_MODEL_DECODER_LAYER_H_
#define MOEPROBE_CORE_MODEL_DECODER_LAYER_H_

#include <ATen/core/Tensor.h>
#include <c10/core/ScalarType.h>

#include <cstdint>

#include "absl/status/status.h"
#include "core/checkpoint/checkpoint.h"
#include "core/checkpoint/tensor_view.h"
#include "core/model/activation_probe.h"
#include "core/model/router.h"
#include "core/model/routing_rule.h"
#include "core/model/weight_arrival.h"

namespace moeprobe {

// One pre-norm decoder layer of a checkpoint:
//   residual += Attention(Norm(residual));
//   h = Norm(residual);
//   residual += sum over experts of gate * expert(h)  (+ shared expert).
// In an MLP only the sum is there: h is what `residual` begins as, its
// examples.
//
// `residual` [T, d] float32 holds whole windows of `sequence_length` tokens,
// one after the other. All methods but RunExperts use weights up to
// LastBeforeExperts alone. Immutable; must not outlive the checkpoint.
class DecoderLayer {
 public:
  DecoderLayer(const Checkpoint& checkpoint, int64_t layer,
               int64_t sequence_length, at::ScalarType type);

  // The same layer with other weights: `tensors`, of the same shapes, which
  // must outlive it.
  DecoderLayer(const DecoderLayer& layer, const LayerTensors& tensors);

  // Adds the attention output, where there is attention, to `residual` in
  // place, some windows at a time.
  void Attend(at::Tensor& residual) const;

  // Returns h [T, d] float32, the input of the MLP or MoE block.
  at::Tensor MlpInput(const at::Tensor& residual) const;

  // Routes `h` by `rule`; a dense layer is one expert with gate 1.
  Routing RouteTokens(const at::Tensor& h, const RoutingRule& rule) const;

  // Adds the block's output for `h` to `residual` in place, expert by expert in
  // order, each when its weights have arrived. With null for `residual` only
  // the sums of `probe` are computed, which may be null as well.
  //
  // Returns what `arrival` returns if that is not OK.
  absl::Status RunExperts(const at::Tensor& h, const Routing& routing,
                          at::Tensor* residual, ActivationProbe* probe,
                          const WeightArrival& arrival) const;

 private:
  void RunExpert(const at::Tensor& x, const MlpTensors& tensors, int64_t expert,
                 const ExpertTokens& routed, at::Tensor* residual,
                 ActivationProbe* probe) const;

  const ModelConfig& config_;
  const LayerConfig& layer_config_;
  const LayerTensors& tensors_;
  int64_t sequence_length_;
  at::ScalarType type_;
};

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_MODEL_DECODER_LAYER_H_
