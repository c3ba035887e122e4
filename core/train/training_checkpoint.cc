#include "core/train/training_checkpoint.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "core/base/crash_point.h"
#include "core/base/disk_error.h"
#include "core/base/npy.h"
#include "core/base/status_macros.h"
#include "core/base/whole_file.h"
#include "core/checkpoint/header_tensor.h"
#include "core/checkpoint/safetensors_file.h"
#include "core/checkpoint/safetensors_writer.h"
#include "core/train/adam.h"
#include "core/train/parameters.h"
#include "core/train/stored_tensors.h"
#include "core/train/trainer.h"
#include "core/train/training_config.h"
#include "core/train/training_curves.h"
#include "core/train/training_options.h"

namespace moeprobe {
namespace {

namespace fs = std::filesystem;

constexpr const char* kPrefix = "step-";
constexpr const char* kPartial = "checkpoint.partial";  // being written
constexpr const char* kConfigFile = "config.json";
constexpr const char* kModelFile = "model.safetensors";
constexpr const char* kStateFile = "training.safetensors";

absl::Status ToStatus(const std::error_code& error, const fs::path& path) {
  if (!error) return absl::OkStatus();
  return DiskError(error.value(), path);
}

// An empty directory called so.
absl::Status MakeEmpty(const fs::path& path) {
  std::error_code error;
  fs::remove_all(path, error);
  if (!error) fs::create_directories(path, error);
  return ToStatus(error, path);
}

// The optimizer's moments, named by the numbers of their parameters.
std::vector<StoredTensor> Moments(Trainer& trainer) {
  const std::vector<Parameter> parameters =
      ListParameters(trainer.parameters());
  std::vector<StoredTensor> moments;
  moments.reserve(2 * parameters.size());
  for (size_t i = 0; i < parameters.size(); ++i) {
    const int64_t number = parameters[i].number;
    moments.push_back({.name = absl::StrCat("first_moment/", number),
                       .view = trainer.adam().first_moments()[i]});
    moments.push_back({.name = absl::StrCat("second_moment/", number),
                       .view = trainer.adam().second_moments()[i]});
  }
  return moments;
}

std::string_view SafetensorsName(DataType type) {
  switch (type) {
    case DataType::kFloat64:
      return "F64";
    case DataType::kFloat32:
      return "F32";
    case DataType::kInt64:
      return "I64";
  }
  return "";
}

absl::Status WriteState(const fs::path& path, Trainer& trainer,
                        const TrainingCurves& curves) {
  const PlainTensors moments(Moments(trainer));
  const std::vector<NamedCurve> state = curves.State();
  std::vector<SafetensorsEntry> entries = moments.entries();
  for (const NamedCurve& curve : state) {
    entries.push_back({.name = curve.name,
                       .dtype = SafetensorsName(curve.array.type),
                       .shape = curve.array.shape,
                       .bytes = curve.array.bytes});
  }
  return WriteSafetensors(path, entries);
}

// All arrays of a file; Restore() knows those that it wants.
std::vector<NamedCurve> CurvesIn(const SafetensorsFile& file) {
  std::vector<NamedCurve> curves;
  for (const HeaderTensor& tensor : file.tensors()) {
    const std::span<const std::byte> bytes = file.BytesOf(tensor);
    NamedCurve& curve = curves.emplace_back();
    curve.name = tensor.name;
    curve.array.shape = tensor.shape;
    curve.array.bytes.assign(reinterpret_cast<const char*>(bytes.data()),
                             bytes.size());
  }
  return curves;
}

// Steps that have a checkpoint, the last one first.
std::vector<int64_t> StepsIn(const fs::path& directory) {
  std::vector<int64_t> steps;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(directory, error)) {
    const std::string name = entry.path().filename().string();
    int64_t step = 0;
    if (name.starts_with(kPrefix) &&
        absl::SimpleAtoi(name.substr(std::string_view(kPrefix).size()),
                         &step)) {
      steps.push_back(step);
    }
  }
  std::ranges::sort(steps, std::greater<>());
  return steps;
}

// Removes what only the last checkpoint needs from those of other steps.
absl::Status RemoveOtherStates(const fs::path& directory, int64_t step) {
  for (const int64_t other : StepsIn(directory)) {
    if (other == step) continue;
    const fs::path state = directory / CheckpointName(other) / kStateFile;
    std::error_code error;
    fs::remove(state, error);
    MOEPROBE_RETURN_IF_ERROR(ToStatus(error, state));
  }
  return absl::OkStatus();
}

}  // namespace

fs::path CheckpointName(int64_t step) { return absl::StrCat(kPrefix, step); }

absl::Status WriteCheckpoint(const fs::path& directory,
                             const TrainingOptions& options, Trainer& trainer,
                             const TrainingCurves& curves) {
  const fs::path partial = directory / kPartial;
  const fs::path path = directory / CheckpointName(trainer.step());
  MOEPROBE_RETURN_IF_ERROR(MakeEmpty(partial));
  CrashPoint("checkpoint-empty");
  MOEPROBE_RETURN_IF_ERROR(
      WriteWholeFile(partial / kConfigFile, {ConfigText(options)}));
  MOEPROBE_RETURN_IF_ERROR(
      StoreTensors(partial / kModelFile,
                   StoredTensors(trainer.parameters(), options.shape)));
  CrashPoint("checkpoint-has-model-not-state");
  MOEPROBE_RETURN_IF_ERROR(WriteState(partial / kStateFile, trainer, curves));
  CrashPoint("checkpoint-not-named");
  std::error_code error;
  fs::remove_all(path, error);  // a damaged one of an earlier attempt
  if (!error) fs::rename(partial, path, error);
  MOEPROBE_RETURN_IF_ERROR(ToStatus(error, path));
  CrashPoint("checkpoint-named-directory-not-synced");
  MOEPROBE_RETURN_IF_ERROR(SyncDirectory(directory));
  CrashPoint("checkpoint-there-others-not-thinned");
  return RemoveOtherStates(directory, trainer.step());
}

bool HasCheckpoint(const fs::path& directory, int64_t step) {
  const fs::path path = directory / CheckpointName(step);
  std::error_code error;
  return fs::exists(path / kConfigFile, error) &&
         SafetensorsFile::Open(path / kModelFile).ok();
}

std::optional<int64_t> LastCheckpoint(const fs::path& directory) {
  for (const int64_t step : StepsIn(directory)) {
    const fs::path state = directory / CheckpointName(step) / kStateFile;
    if (HasCheckpoint(directory, step) && SafetensorsFile::Open(state).ok()) {
      return step;
    }
  }
  return std::nullopt;
}

absl::Status RestoreCheckpoint(const fs::path& directory, int64_t step,
                               const TrainingOptions& options, Trainer& trainer,
                               TrainingCurves& curves) {
  const fs::path path = directory / CheckpointName(step);
  MOEPROBE_ASSIGN_OR_RETURN(const auto model,
                            SafetensorsFile::Open(path / kModelFile));
  MOEPROBE_ASSIGN_OR_RETURN(const auto state,
                            SafetensorsFile::Open(path / kStateFile));
  MOEPROBE_RETURN_IF_ERROR(
      LoadTensors(model, StoredTensors(trainer.parameters(), options.shape)));
  MOEPROBE_RETURN_IF_ERROR(LoadTensors(state, Moments(trainer)));
  trainer.adam().set_steps(step);
  curves.Restore(CurvesIn(state));
  return RemoveOtherStates(directory, step);
}

}  // namespace moeprobe
