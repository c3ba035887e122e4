#ifndef MOEPROBE_CORE_CHECKPOINT_CHECKPOINT_H_
#define MOEPROBE_CORE_CHECKPOINT_CHECKPOINT_H_

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "core/checkpoint/model_config.h"
#include "core/checkpoint/tensor_view.h"

namespace moeprobe {

// Weights of an MLP, by ExpertKind
//   gated:       f(x) = W_down [silu(W_gate x) * (W_up x)]
//   two layers:  f(x) = W_down gelu(W_gate x + b_gate) + b_down
// W_gate is what the activation acts on: W_1 where there are two layers, and
// W_down is W_2.
struct MlpTensors {
  TensorView gate;                           // [f, d]
  std::optional<TensorView> up = {};         // [f, d], of gated ones
  std::optional<TensorView> gate_bias = {};  // [f], of two layers
  std::optional<TensorView> down_bias = {};  // [d], of two layers
  TensorView down;                           // [d, f]
};

// Weights of a norm: of a layer norm, which takes the mean away and adds a
// bias, where there is one, and of an RMS norm otherwise.
struct NormTensors {
  std::optional<TensorView> bias = {};  // [d]
  TensorView weight;                    // [d]: factors
};

// Weights of self-attention.
struct AttentionTensors {
  TensorView query;   // [heads * head_width, d]
  TensorView key;     // [key_value_heads * head_width, d]
  TensorView value;   // [key_value_heads * head_width, d]
  TensorView output;  // [d, heads * head_width]
  std::optional<TensorView> query_bias, key_bias, value_bias, output_bias;
  // [head_width], or the whole projection: see QueryKeyNorm.
  std::optional<TensorView> query_norm, key_norm;
};

// Weights of one layer. Fused expert tensors come apart here: every
// weight of an expert is a contiguous view, however the file stores it.
struct LayerTensors {
  // Of a decoder:
  std::optional<NormTensors> input_norm;
  std::optional<AttentionTensors> attention;
  std::optional<NormTensors> mlp_norm;
  std::optional<MlpTensors> dense;        // dense layers only
  std::optional<TensorView> router_bias;  // [E], where the family has one
  std::optional<TensorView> router;       // [E, d], MoE layers only
  std::vector<MlpTensors> experts;        // E, MoE layers only
  std::optional<MlpTensors> shared;       // where the family has one
  std::optional<TensorView> shared_gate;  // [1, d]
};

// Returns the last of a layer's tensors, in the order of
// Checkpoint::TensorsOfLayer, that stands in front of its experts, or of its
// dense MLP; the first of all where none does.
const TensorView& LastBeforeExperts(const LayerTensors& tensors);

// A model directory as transformers writes it, opened and checked: config.json
// and one model.safetensors or shards named by model.safetensors.index.json.
//
// Files may be symbolic links; see ModelDirectory for where they may lead, in
// `root` if one is named.
//
// Opening reads headers only: every tensor the family needs is there, once,
// with the shape config.json implies, in float32, float16 or bfloat16. Weights
// are mapped read-only and touched when first used. Immutable; thread-safe.
class Checkpoint {
 public:
  // Errors: NotFound if the directory or a file it needs is missing;
  // InvalidArgument for a bad config.json or index; DataLoss for a bad
  // safetensors file; FailedPrecondition where files and configuration
  // disagree; Unimplemented for what is not supported, by name. Messages name
  // the file, what was found and what was expected.
  static absl::StatusOr<std::unique_ptr<Checkpoint>> Open(
      const std::filesystem::path& directory,
      const std::filesystem::path& root = {});
  virtual ~Checkpoint() = default;

  virtual const ModelConfig& config() const = 0;

  // Digest of config.json's bytes.
  virtual const std::string& config_sha256() const = 0;

  // Bytes of all weights that the model uses.
  virtual int64_t size_bytes() const = 0;

  virtual const TensorView& embedding() const = 0;  // [vocabulary, d]
  // [positions, d], added to the embedding; nullopt where there are none.
  virtual const std::optional<TensorView>& positions() const = 0;
  virtual const std::optional<NormTensors>& final_norm() const = 0;
  // [outputs, d]; the embedding itself where the two are tied.
  virtual const TensorView& head() const = 0;
  // `layer` in [0, config().layers.size()).
  virtual const LayerTensors& layer(int64_t layer) const = 0;

  // Every view of a layer, each once, in a fixed order: for reading ahead and
  // for digests. Fused tensors appear as their parts.
  std::vector<TensorView> TensorsOfLayer(int64_t layer) const;

  // Names of tensors in the files that the family has no place for, sorted:
  // transformers ignores them too.
  virtual const std::vector<std::string>& unused_tensors() const = 0;

  // OK as long as no file behind the mapping was replaced, cut or rewritten
  // since Open; FailedPrecondition that names the file otherwise.
  virtual absl::Status CheckUnchanged() const = 0;

  // Identity of the files without reading them: device, inode, size and
  // modification time of each, digested. The same stamp means the same bytes,
  // as long as nobody writes to a file and puts its time back.
  virtual const std::string& stamp() const = 0;
};

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_CHECKPOINT_CHECKPOINT_H_
