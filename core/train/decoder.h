#ifndef MOEPROBE_CORE_TRAIN_DECODER_H_
#define MOEPROBE_CORE_TRAIN_DECODER_H_

#include <ATen/core/Tensor.h>

#include <optional>
#include <vector>

#include "core/model/rotary_embedding.h"
#include "core/model/routing_rule.h"
#include "core/plan/decoder_shape.h"
#include "core/train/parameters.h"
#include "core/train/token_gates.h"

namespace moeprobe {

// What a decoder makes of a batch.
struct DecoderOutput {
  at::Tensor logits;                // [batch length, V]
  std::vector<TokenGates> routing;  // by layer; empty in a dense model
};

// A pre-norm decoder-only transformer:
//   x = embedding (+ positions);
//   in each layer: x += Attention(Norm(x)); x += Experts(Norm(x));
//   logits = Norm(x) head^T.
// Holds no weights. Immutable; thread-safe.
class Decoder {
 public:
  // `shape` is one that CheckShape accepts; `rule` is not looked at in a dense
  // model. Norms add 1e-5 to the variance; rotary positions have base 10,000.
  Decoder(const DecoderShape& shape, const RoutingRule& rule);

  // Runs windows `ids` [batch, length] int64, length <= context. The output has
  // gradients where those are enabled.
  DecoderOutput Forward(const ModelParameters& model,
                        const at::Tensor& ids) const;

 private:
  at::Tensor Norm(const at::Tensor& x, const at::Tensor& factors,
                  const at::Tensor& bias) const;
  at::Tensor Attend(const at::Tensor& x, const LayerParameters& layer) const;

  DecoderShape shape_;
  RoutingRule rule_;
};

// The constants of every decoder that is trained here.
inline constexpr double kNormEpsilon = 1e-5;
inline constexpr double kRopeTheta = 10000;

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_TRAIN_DECODER_H_
