#include "bench/precision_agreement.h"

#include <ATen/core/Tensor.h>
#include <c10/core/ScalarType.h>

#include <cstddef>
#include <cstdint>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/checkpoint/checkpoint.h"
#include "core/model/decoder_layer.h"
#include "core/model/embedding.h"
#include "core/model/router.h"
#include "core/model/routing_rule.h"
#include "core/model/token_loss.h"
#include "core/model/weight_arrival.h"

namespace moeprobe {
namespace {

// A forward pass, one layer at a time.
class Pass {
 public:
  Pass(const Checkpoint& checkpoint, const at::Tensor& token_ids,
       int64_t sequence_length, at::ScalarType type)
      : checkpoint_(checkpoint),
        token_ids_(token_ids),
        sequence_length_(sequence_length),
        type_(type),
        residual_(Embed(checkpoint, token_ids, sequence_length)) {}

  // Runs the next layer and returns which experts its tokens chose, [T, k].
  at::Tensor Run(int64_t layer) {
    const DecoderLayer decoder(checkpoint_, layer, sequence_length_, type_);
    decoder.Attend(residual_);
    const at::Tensor h = decoder.MlpInput(residual_);
    const Routing routing =
        decoder.RouteTokens(h, OwnRule(checkpoint_.config().experts));
    decoder.RunExperts(h, routing, &residual_, nullptr, AlreadyArrived)
        .IgnoreError();  // cannot fail
    return routing.chosen;
  }

  // After the last layer.
  double Loss() const {
    return NextTokenLoss(checkpoint_, residual_, token_ids_, sequence_length_,
                         type_);
  }

 private:
  const Checkpoint& checkpoint_;
  const at::Tensor& token_ids_;
  int64_t sequence_length_;
  at::ScalarType type_;
  at::Tensor residual_;  // [T, d]
};

// How many entries the rows of `a` and `b` [T, k] have in common.
int64_t CommonCount(const at::Tensor& a, const at::Tensor& b) {
  return a.unsqueeze(2).eq(b.unsqueeze(1)).sum().item<int64_t>();
}

}  // namespace

absl::StatusOr<PrecisionAgreement> ComparePrecisions(
    const Checkpoint& checkpoint, const at::Tensor& token_ids,
    int64_t sequence_length) {
  Pass exact(checkpoint, token_ids, sequence_length, at::kFloat);
  Pass rounded(checkpoint, token_ids, sequence_length, at::kBFloat16);
  int64_t common = 0;
  int64_t total = 0;
  const auto& layers = checkpoint.config().layers;
  for (size_t i = 0; i < layers.size(); ++i) {
    const at::Tensor chosen = exact.Run(static_cast<int64_t>(i));
    const at::Tensor other = rounded.Run(static_cast<int64_t>(i));
    if (!layers[i].is_moe) continue;
    common += CommonCount(chosen, other);
    total += chosen.numel();
  }
  if (total == 0) {
    return absl::FailedPreconditionError("the model has no MoE layer");
  }
  return PrecisionAgreement{
      .chosen = static_cast<double>(common) / static_cast<double>(total),
      .float32_nll = exact.Loss(),
      .bfloat16_nll = rounded.Loss()};
}

}  // namespace moeprobe
