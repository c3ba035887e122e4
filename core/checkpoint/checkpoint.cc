#include "core/checkpoint/checkpoint.h"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/base/file_content.h"
#include "core/base/file_identity.h"
#include "core/base/sha256.h"
#include "core/base/status_context.h"
#include "core/base/status_macros.h"
#include "core/checkpoint/layer_resolver.h"
#include "core/checkpoint/layer_visitor.h"
#include "core/checkpoint/model_config.h"
#include "core/checkpoint/model_directory.h"
#include "core/checkpoint/model_family.h"
#include "core/checkpoint/tensor_view.h"
#include "core/checkpoint/weight_set.h"

namespace moeprobe {
namespace {

constexpr int64_t kMaxConfigBytes = int64_t{1} << 20;

class MappedCheckpoint : public Checkpoint {
 public:
  static absl::StatusOr<std::unique_ptr<MappedCheckpoint>> Open(
      const ModelDirectory& directory);

  const ModelConfig& config() const override { return config_; }
  const std::string& config_sha256() const override { return config_sha256_; }
  int64_t size_bytes() const override { return size_bytes_; }
  const TensorView& embedding() const override { return embedding_; }
  const std::optional<TensorView>& positions() const override {
    return positions_;
  }
  const std::optional<NormTensors>& final_norm() const override {
    return final_norm_;
  }
  const TensorView& head() const override {
    return config_.tied_embeddings ? embedding_ : head_;
  }
  const LayerTensors& layer(int64_t layer) const override {
    return layers_[static_cast<size_t>(layer)];
  }
  const std::vector<std::string>& unused_tensors() const override {
    return unused_tensors_;
  }
  const std::string& stamp() const override { return stamp_; }
  absl::Status CheckUnchanged() const override;

 private:
  MappedCheckpoint(ModelConfig config, std::string config_sha256,
                   WeightSet weights)
      : config_(std::move(config)),
        config_sha256_(std::move(config_sha256)),
        weights_(std::move(weights)) {}

  absl::Status Resolve();
  void Summarize(KnownFile config_file);

  ModelConfig config_;
  std::string config_sha256_;
  WeightSet weights_;
  TensorView embedding_, head_;
  std::optional<TensorView> positions_;
  std::optional<NormTensors> final_norm_;
  std::vector<LayerTensors> layers_;
  std::vector<std::string> unused_tensors_;
  std::vector<KnownFile> files_;
  std::string stamp_;
  int64_t size_bytes_ = 0;
};

absl::StatusOr<std::unique_ptr<MappedCheckpoint>> MappedCheckpoint::Open(
    const ModelDirectory& directory) {
  const std::filesystem::path path = directory.PathOf("config.json");
  MOEPROBE_ASSIGN_OR_RETURN(
      const FileContent content,
      ReadFileIn(directory, "config.json", kMaxConfigBytes));
  absl::StatusOr<ModelConfig> config = ParseModelConfig(content.bytes);
  if (!config.ok()) return WithContext(config.status(), path.native());

  MOEPROBE_ASSIGN_OR_RETURN(WeightSet weights, WeightSet::Open(directory));
  std::unique_ptr<MappedCheckpoint> checkpoint(new MappedCheckpoint(
      *std::move(config), Sha256Hex(content.bytes), std::move(weights)));
  MOEPROBE_RETURN_IF_ERROR(checkpoint->Resolve());
  checkpoint->Summarize({.path = path, .identity = content.identity});
  return checkpoint;
}

absl::Status MappedCheckpoint::Resolve() {
  const ModelFamily& family = *FindModelFamily(config_.family);
  MOEPROBE_ASSIGN_OR_RETURN(
      embedding_,
      weights_.Use(family.embedding, {config_.vocabulary_size, config_.width}));
  if (config_.position_count > 0) {
    MOEPROBE_ASSIGN_OR_RETURN(
        positions_, weights_.Use("model.embed_positions.weight",
                                 {config_.position_count, config_.width}));
  }
  if (!config_.tied_embeddings) {
    MOEPROBE_ASSIGN_OR_RETURN(
        head_,
        weights_.Use(family.head, {config_.output_count, config_.width}));
  }
  LayerResolver resolver(config_, family, weights_);
  if (!family.is_mlp) {
    MOEPROBE_ASSIGN_OR_RETURN(final_norm_, resolver.Norm("model.norm"));
  }
  for (size_t i = 0; i < config_.layers.size(); ++i) {
    MOEPROBE_ASSIGN_OR_RETURN(LayerTensors layer,
                              resolver.Resolve(static_cast<int64_t>(i)));
    layers_.push_back(std::move(layer));
  }
  return absl::OkStatus();
}

void MappedCheckpoint::Summarize(KnownFile config_file) {
  const auto add = [this](const TensorView& view) {
    size_bytes_ += static_cast<int64_t>(view.bytes.size());
  };
  add(embedding_);
  if (positions_) add(*positions_);
  if (final_norm_) VisitNorm(*final_norm_, add);
  add(head_);
  for (const LayerTensors& layer : layers_) VisitLayer(layer, add);
  unused_tensors_ = weights_.Unused();

  files_ = {std::move(config_file)};
  files_.insert(files_.end(), weights_.files().begin(), weights_.files().end());
  Sha256 sha256;
  for (const KnownFile& file : files_) {
    sha256.Update(file.identity.ToString());
  }
  stamp_ = sha256.Hex();
}

absl::Status MappedCheckpoint::CheckUnchanged() const {
  for (const KnownFile& file : files_) {
    MOEPROBE_RETURN_IF_ERROR(CheckIdentity(file.path, file.identity));
  }
  return absl::OkStatus();
}

}  // namespace

const TensorView& LastBeforeExperts(const LayerTensors& tensors) {
  if (tensors.router) return *tensors.router;
  return tensors.mlp_norm ? tensors.mlp_norm->weight : tensors.dense->gate;
}

std::vector<TensorView> Checkpoint::TensorsOfLayer(int64_t layer) const {
  std::vector<TensorView> views;
  VisitLayer(this->layer(layer),
             [&](const TensorView& view) { views.push_back(view); });
  return views;
}

absl::StatusOr<std::unique_ptr<Checkpoint>> Checkpoint::Open(
    const std::filesystem::path& directory, const std::filesystem::path& root) {
  MOEPROBE_ASSIGN_OR_RETURN(const ModelDirectory opened,
                            ModelDirectory::Open(directory, root));
  return MappedCheckpoint::Open(opened);
}

}  // namespace moeprobe
