#include "bench/training_benchmark.h"

#include <ATen/core/Tensor.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/tensor.h>
#include <c10/core/ScalarType.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "bench/array_file.h"
#include "bench/figure.h"
#include "bench/repeated_runs.h"
#include "core/base/file_content.h"
#include "core/base/status_macros.h"
#include "core/train/stored_tensors.h"
#include "core/train/token_batches.h"
#include "core/train/token_split.h"
#include "core/train/trainer.h"
#include "core/train/training_options.h"

namespace moeprobe {
namespace {

constexpr int64_t kMaxTextBytes = int64_t{1} << 30;

absl::StatusOr<std::vector<int32_t>> ReadBytes(
    const std::filesystem::path& path) {
  MOEPROBE_ASSIGN_OR_RETURN(const FileContent file,
                            ReadFile(path, kMaxTextBytes));
  std::vector<int32_t> ids;
  ids.reserve(file.bytes.size());
  for (const char byte : file.bytes) {
    ids.push_back(static_cast<unsigned char>(byte));
  }
  return ids;
}

absl::Status DumpInputs(const TrainingOptions& options, const Trainer& trainer,
                        const TokenBatches& batches, int64_t steps,
                        const std::filesystem::path& folder) {
  std::vector<at::Tensor> windows;
  windows.reserve(static_cast<size_t>(steps));
  for (int64_t step = 1; step <= steps; ++step) {
    windows.push_back(batches.Batch(step));
  }
  MOEPROBE_RETURN_IF_ERROR(
      WriteArray(folder / "batches.npy", at::stack(windows)));
  return StoreTensors(folder / "model.safetensors",
                      StoredTensors(trainer.parameters(), options.shape));
}

// Makes steps and adds their losses.
absl::Status MakeSteps(Trainer& trainer, int64_t steps,
                       std::vector<double>& losses) {
  for (int64_t i = 0; i < steps; ++i) {
    MOEPROBE_ASSIGN_OR_RETURN(const TrainingStep report, trainer.Step());
    losses.push_back(report.loss);
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Figure> TrainingBenchmark(
    const TrainingBenchmarkOptions& options) {
  const int64_t all_steps = options.warmup_steps + options.steps;
  const TrainingOptions training{
      .routing = {.per_token = options.experts_per_token, .renormalize = true},
      .steps = all_steps};
  TokenSplit text;
  MOEPROBE_ASSIGN_OR_RETURN(text.train, ReadBytes(options.text));
  MOEPROBE_ASSIGN_OR_RETURN(const std::unique_ptr<Trainer> trainer,
                            Trainer::Create(training, text));
  if (!options.dump_directory.empty()) {
    const TokenBatches batches(text.train, training.shape.context,
                               training.batch, training.seed);
    MOEPROBE_RETURN_IF_ERROR(DumpInputs(training, *trainer, batches, all_steps,
                                        options.dump_directory));
  }
  std::vector<double> losses;
  MOEPROBE_RETURN_IF_ERROR(MakeSteps(*trainer, options.warmup_steps, losses));
  absl::Status status;
  const double seconds =
      Seconds([&] { status = MakeSteps(*trainer, options.steps, losses); });
  MOEPROBE_RETURN_IF_ERROR(status);
  if (!options.dump_directory.empty()) {
    MOEPROBE_RETURN_IF_ERROR(WriteArray(options.dump_directory / "losses.npy",
                                        at::tensor(losses, at::kDouble)));
  }
  const double rate = static_cast<double>(options.steps) / seconds;
  return Figure{
      {"benchmark", "training"},
      {"experts_per_token", options.experts_per_token},
      {"steps_per_second", rate},
      {"tokens_per_second",
       rate * static_cast<double>(training.batch * training.shape.context)},
      {"last_loss", losses.back()}};
}

}  // namespace moeprobe
