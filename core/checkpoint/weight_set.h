#ifndef MOEPROBE_CORE_CHECKPOINT_WEIGHT_SET_H_
#define MOEPROBE_CORE_CHECKPOINT_WEIGHT_SET_H_

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/base/file_identity.h"
#include "core/checkpoint/header_tensor.h"
#include "core/checkpoint/model_directory.h"
#include "core/checkpoint/safetensors_file.h"
#include "core/checkpoint/tensor_view.h"
#include "core/checkpoint/weight_index.h"

namespace moeprobe {

// A file that was read, and its state then.
struct KnownFile {
  std::filesystem::path path;
  FileIdentity identity;
};

// All tensors of a model directory, by name, mapped.
class WeightSet {
 public:
  // Opens model.safetensors, or else the shards that
  // model.safetensors.index.json names.
  //
  // Errors: NotFound if there is neither or a shard is missing; those of
  // ParseWeightIndex and SafetensorsFile::Open; FailedPrecondition if index and
  // shards disagree, or two shards hold the same tensor.
  static absl::StatusOr<WeightSet> Open(const ModelDirectory& directory);

  bool Contains(std::string_view name) const { return tensors_.contains(name); }

  // Returns the tensor called `name`, which the model uses.
  //
  // Errors: FailedPrecondition if it is missing or has another shape;
  // Unimplemented if its elements are not float32, float16 or bfloat16, or do
  // not lie at a multiple of their size.
  absl::StatusOr<TensorView> Use(std::string_view name,
                                 const std::vector<int64_t>& shape);

  // Names of tensors never used so far, sorted.
  std::vector<std::string> Unused() const;

  // The files behind the tensors: the index, if any, and the shards.
  const std::vector<KnownFile>& files() const { return files_; }

 private:
  struct Entry {
    const HeaderTensor* tensor = nullptr;
    const SafetensorsFile* file = nullptr;
    bool is_used = false;
  };

  absl::Status OpenShards(const ModelDirectory& directory);
  absl::Status OpenShard(const ModelDirectory& directory,
                         const std::string& name);
  absl::Status CollectTensors();
  absl::Status CheckIndex(const WeightIndex& index,
                          const ModelDirectory& directory) const;
  absl::Status Missing(std::string_view name) const;

  std::vector<SafetensorsFile> shards_;
  std::vector<KnownFile> files_;
  // Keys and pointers lead into shards_.
  std::unordered_map<std::string_view, Entry> tensors_;
};

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_CHECKPOINT_WEIGHT_SET_H_
