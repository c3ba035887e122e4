#ifndef MOEPROBE_CORE_PIPELINE_RANDOM_WEIGHTS_H_
#define MOEPROBE_CORE_PIPELINE_RANDOM_WEIGHTS_H_

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "core/checkpoint/checkpoint.h"
#include "core/checkpoint/model_config.h"
#include "core/checkpoint/tensor_view.h"

namespace moeprobe {

// A model before training, of the same shape and types as another one, drawn as
// its configuration says (InitialWeights). The final norm and the head are not
// drawn, there is no loss to take; nor are the examples of an MLP, which are no
// weights.
//
// Memory: the embeddings and one layer at a time.
class RandomWeights final : public Checkpoint {
 public:
  // Draws the embeddings of a decoder. `model` must outlive the object.
  // `stream`: what the weights depend on, beside layer and place in it.
  RandomWeights(const Checkpoint& model, int64_t stream);

  // Draws the weights of `layer` in place of those of the layer before. Views
  // of it that were taken earlier are no longer valid.
  void DrawLayer(int64_t layer);

  // The layer drawn last, which `layer` has to be.
  const LayerTensors& layer(int64_t layer) const override;
  const TensorView& embedding() const override { return embedding_; }

  const ModelConfig& config() const override { return model_.config(); }
  const std::string& config_sha256() const override {
    return model_.config_sha256();
  }
  int64_t size_bytes() const override { return model_.size_bytes(); }
  const std::optional<TensorView>& positions() const override {
    return positions_;
  }
  const std::optional<NormTensors>& final_norm() const override {
    return model_.final_norm();
  }
  const TensorView& head() const override { return model_.head(); }
  const std::vector<std::string>& unused_tensors() const override {
    return model_.unused_tensors();
  }
  absl::Status CheckUnchanged() const override { return absl::OkStatus(); }
  const std::string& stamp() const override { return model_.stamp(); }

 private:
  const Checkpoint& model_;
  const int64_t stream_;
  TensorView embedding_;
  std::optional<TensorView> positions_;
  at::Tensor embedding_bytes_;  // [bytes] uint8: of both
  LayerTensors layer_;
  at::Tensor layer_bytes_;  // [bytes] uint8: the largest layer so far
};

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_PIPELINE_RANDOM_WEIGHTS_H_
