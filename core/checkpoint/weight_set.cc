#include "core/checkpoint/weight_set.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/base/file_content.h"
#include "core/base/pinned_file.h"
#include "core/base/quoted.h"
#include "core/base/status_context.h"
#include "core/base/status_macros.h"
#include "core/checkpoint/header_tensor.h"
#include "core/checkpoint/model_directory.h"
#include "core/checkpoint/safetensors_file.h"
#include "core/checkpoint/tensor_view.h"
#include "core/checkpoint/weight_files.h"
#include "core/checkpoint/weight_index.h"

namespace moeprobe {
namespace {

std::optional<WeightType> WeightTypeOf(std::string_view dtype) {
  if (dtype == "F32") return WeightType::kFloat32;
  if (dtype == "F16") return WeightType::kFloat16;
  if (dtype == "BF16") return WeightType::kBFloat16;
  return std::nullopt;
}

size_t ElementBytes(WeightType type) {
  return type == WeightType::kFloat32 ? 4 : 2;
}

std::string ShapeText(const std::vector<int64_t>& shape) {
  return absl::StrCat("[", absl::StrJoin(shape, ", "), "]");
}

absl::Status NoWeights(const ModelDirectory& directory) {
  const bool has_pickle =
      directory.Contains("pytorch_model.bin").value_or(false) ||
      directory.Contains("pytorch_model.bin.index.json").value_or(false);
  return absl::NotFoundError(absl::StrCat(
      directory.path().native(), ": found neither ",
      std::string(kSingleWeightFile), " nor ", std::string(kWeightIndexFile),
      has_pickle ? ", only pytorch_model.bin: load it with transformers where "
                   "you trust it and call save_pretrained"
                 : ""));
}

absl::StatusOr<TensorView> ViewOf(const HeaderTensor& tensor,
                                  std::span<const std::byte> bytes) {
  const std::optional<WeightType> type = WeightTypeOf(tensor.dtype);
  if (!type) {
    return absl::UnimplementedError(
        absl::StrCat("dtype is ", std::string(tensor.dtype),
                     ", expected F32, F16 or BF16: quantised and integer "
                     "weights are not supported"));
  }
  const auto address = reinterpret_cast<std::uintptr_t>(bytes.data());
  if (address % ElementBytes(*type) != 0) {
    return absl::UnimplementedError(absl::StrCat(
        "its data lie at no multiple of the ", ElementBytes(*type),
        " bytes of ", std::string(tensor.dtype),
        ", expected an aligned file: save it again with transformers"));
  }
  return TensorView{.name = tensor.name,
                    .type = *type,
                    .shape = tensor.shape,
                    .bytes = bytes};
}

}  // namespace

absl::StatusOr<WeightSet> WeightSet::Open(const ModelDirectory& directory) {
  WeightSet weights;
  MOEPROBE_ASSIGN_OR_RETURN(const bool is_single,
                            directory.Contains(kSingleWeightFile));
  if (is_single) {
    MOEPROBE_RETURN_IF_ERROR(
        weights.OpenShard(directory, std::string(kSingleWeightFile)));
    MOEPROBE_RETURN_IF_ERROR(weights.CollectTensors());
    return weights;
  }
  MOEPROBE_ASSIGN_OR_RETURN(const bool has_index,
                            directory.Contains(kWeightIndexFile));
  if (!has_index) return NoWeights(directory);
  MOEPROBE_RETURN_IF_ERROR(weights.OpenShards(directory));
  return weights;
}

absl::Status WeightSet::OpenShards(const ModelDirectory& directory) {
  const std::filesystem::path path = directory.PathOf(kWeightIndexFile);
  MOEPROBE_ASSIGN_OR_RETURN(
      const FileContent content,
      ReadFileIn(directory, kWeightIndexFile, kMaxWeightIndexBytes));
  files_.push_back({.path = path, .identity = content.identity});
  const absl::StatusOr<WeightIndex> index = ParseWeightIndex(content.bytes);
  if (!index.ok()) return WithContext(index.status(), path.native());
  for (const auto& [shard, names] : *index) {
    MOEPROBE_RETURN_IF_ERROR(OpenShard(directory, shard));
  }
  MOEPROBE_RETURN_IF_ERROR(CollectTensors());
  return CheckIndex(*index, directory);
}

absl::Status WeightSet::OpenShard(const ModelDirectory& directory,
                                  const std::string& name) {
  MOEPROBE_ASSIGN_OR_RETURN(const PinnedFile file, directory.Find(name));
  const std::filesystem::path path = directory.PathOf(name);
  auto shard = SafetensorsFile::Open(path, file.handle());
  if (!shard.ok()) return file.Named(shard.status());
  files_.push_back({.path = path, .identity = shard->identity()});
  shards_.push_back(*std::move(shard));
  return absl::OkStatus();
}

absl::Status WeightSet::CollectTensors() {
  for (const SafetensorsFile& shard : shards_) {
    for (const HeaderTensor& tensor : shard.tensors()) {
      const auto [entry, is_new] = tensors_.try_emplace(
          tensor.name, Entry{.tensor = &tensor, .file = &shard});
      if (is_new) continue;
      return absl::FailedPreconditionError(absl::StrCat(
          shard.path().native(), ": tensor ", Quoted(tensor.name),
          " is also in ", entry->second.file->path().filename().native(),
          ", expected it once"));
    }
  }
  return absl::OkStatus();
}

absl::Status WeightSet::CheckIndex(const WeightIndex& index,
                                   const ModelDirectory& directory) const {
  for (const auto& [shard, names] : index) {
    for (const std::string& name : names) {
      const auto entry = tensors_.find(name);
      if (entry != tensors_.end() &&
          entry->second.file->path().filename() == shard) {
        continue;
      }
      return absl::FailedPreconditionError(absl::StrCat(
          (directory.path() / kWeightIndexFile).native(), ": maps tensor ",
          Quoted(name), " to ", Quoted(shard), ", which does not hold it"));
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<TensorView> WeightSet::Use(std::string_view name,
                                          const std::vector<int64_t>& shape) {
  const auto entry = tensors_.find(name);
  if (entry == tensors_.end()) return Missing(name);
  entry->second.is_used = true;
  const HeaderTensor& tensor = *entry->second.tensor;
  const std::string where = absl::StrCat(entry->second.file->path().native(),
                                         ": tensor ", Quoted(name));
  if (tensor.shape != shape) {
    return absl::FailedPreconditionError(
        absl::StrCat(where, ": shape is ", ShapeText(tensor.shape),
                     ", expected ", ShapeText(shape), " by config.json"));
  }
  absl::StatusOr<TensorView> view =
      ViewOf(tensor, entry->second.file->BytesOf(tensor));
  if (!view.ok()) return WithContext(view.status(), where);
  return view;
}

std::vector<std::string> WeightSet::Unused() const {
  std::vector<std::string> names;
  for (const auto& [name, entry] : tensors_) {
    if (!entry.is_used) names.emplace_back(name);
  }
  std::ranges::sort(names);
  return names;
}

absl::Status WeightSet::Missing(std::string_view name) const {
  const std::string where = shards_.front().path().native();
  const std::string stem(name.substr(0, name.rfind('.')));
  for (const char* packed : {".qweight", ".weight_packed", "_blocks"}) {
    if (!tensors_.contains(stem + packed)) continue;
    return absl::UnimplementedError(
        absl::StrCat(where, ": holds ", Quoted(stem + packed), ", expected ",
                     Quoted(name), ": quantised weights are not supported"));
  }
  return absl::FailedPreconditionError(absl::StrCat(
      where, shards_.size() == 1 ? "" : " and its other shards", ": tensor ",
      Quoted(name), " is missing, expected it by config.json"));
}

}  // namespace moeprobe
