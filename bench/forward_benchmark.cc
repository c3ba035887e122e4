#include "bench/forward_benchmark.h"

#include <ATen/core/Tensor.h>
#include <ATen/ops/tensor.h>
#include <c10/core/ScalarType.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "bench/array_file.h"
#include "bench/disk_rate.h"
#include "bench/figure.h"
#include "bench/process_memory.h"
#include "bench/repeated_runs.h"
#include "core/base/status_macros.h"
#include "core/checkpoint/checkpoint.h"
#include "core/checkpoint/model_config.h"
#include "core/checkpoint/tensor_view.h"
#include "core/model/decoder_layer.h"
#include "core/model/embedding.h"
#include "core/model/layer_reader.h"
#include "core/model/routing_rule.h"
#include "core/model/weight_arrival.h"
#include "core/model/weight_fingerprint.h"
#include "core/pipeline/layer_analysis.h"
#include "core/plan/useful_work.h"

namespace moeprobe {
namespace {

// The forward pass, from memory or from disk.
class ForwardPass {
 public:
  ForwardPass(const Checkpoint& checkpoint,
              const ForwardBenchmarkOptions& options)
      : checkpoint_(checkpoint),
        layer_count_(static_cast<int64_t>(checkpoint.config().layers.size())),
        sequence_length_(options.sequence_length),
        type_(ComputeType(options.precision)) {}

  void Run(const at::Tensor& ids) const {
    at::Tensor residual = Embed(checkpoint_, ids, sequence_length_);
    for (int64_t layer = 0; layer < layer_count_; ++layer) {
      RunLayer(layer, residual, AlreadyArrived).IgnoreError();  // cannot fail
    }
  }

  // Reads each layer ahead of the computation and lets go of it afterwards, as
  // an analysis does. The first call also digests the weights.
  absl::Status RunFromDisk(const at::Tensor& ids) {
    std::vector<LayerToRead> layers;
    for (int64_t layer = 0; layer < layer_count_; ++layer) {
      layers.push_back({.layer = layer});
    }
    LayerReader reader(checkpoint_, memory_, layers);
    at::Tensor residual = Embed(checkpoint_, ids, sequence_length_);
    for (int64_t layer = 0; layer < layer_count_; ++layer) {
      reader.Begin(layer);
      MOEPROBE_RETURN_IF_ERROR(RunLayer(
          layer, residual,
          [&](const TensorView& weight) { return reader.WaitFor(weight); }));
      MOEPROBE_RETURN_IF_ERROR(reader.Finish().status());
    }
    return absl::OkStatus();
  }

 private:
  absl::Status RunLayer(int64_t layer, at::Tensor& residual,
                        const WeightArrival& arrival) const {
    const DecoderLayer decoder(checkpoint_, layer, sequence_length_, type_);
    MOEPROBE_RETURN_IF_ERROR(
        arrival(LastBeforeExperts(checkpoint_.layer(layer))));
    decoder.Attend(residual);
    const at::Tensor h = decoder.MlpInput(residual);
    const RoutingRule rule = OwnRule(checkpoint_.config().experts);
    return decoder.RunExperts(h, decoder.RouteTokens(h, rule), &residual,
                              nullptr, arrival);
  }

  const Checkpoint& checkpoint_;
  int64_t layer_count_;
  int64_t sequence_length_;
  at::ScalarType type_;
  FingerprintMemory memory_;
};

// What one window after the other takes from disk.
struct FromDisk {
  double seconds = 0;
  double share_of_disk_rate = 0;  // bytes of weights a second over DiskRate()
};

double WeightBytes(const Checkpoint& checkpoint) {
  double bytes = 0;
  const auto layers = static_cast<int64_t>(checkpoint.config().layers.size());
  for (int64_t layer = 0; layer < layers; ++layer) {
    for (const TensorView& weight : checkpoint.TensorsOfLayer(layer)) {
      bytes += static_cast<double>(weight.bytes.size());
    }
  }
  return bytes;
}

std::filesystem::path LargestFile(const std::filesystem::path& directory) {
  std::filesystem::path largest;
  for (const auto& entry : std::filesystem::directory_iterator(directory)) {
    if (largest.empty() ||
        entry.file_size() > std::filesystem::file_size(largest)) {
      largest = entry.path();
    }
  }
  return largest;
}

// Medians over windows, each beside the rate of the disk at that moment.
absl::StatusOr<FromDisk> TimeWindows(const Checkpoint& checkpoint,
                                     ForwardPass& pass, const at::Tensor& ids,
                                     const ForwardBenchmarkOptions& options) {
  const double weight_bytes = WeightBytes(checkpoint);
  const std::filesystem::path file = LargestFile(options.checkpoint);
  std::vector<double> seconds;
  std::vector<double> shares;
  for (const at::Tensor& window : ids.split(options.sequence_length)) {
    MOEPROBE_RETURN_IF_ERROR(DropPageCache());
    MOEPROBE_ASSIGN_OR_RETURN(const double disk_rate, DiskRate(file));
    absl::Status status;
    seconds.push_back(Seconds([&] { status = pass.RunFromDisk(window); }));
    MOEPROBE_RETURN_IF_ERROR(status);
    shares.push_back(weight_bytes / seconds.back() / disk_rate);
  }
  return FromDisk{.seconds = Median(std::move(seconds)),
                  .share_of_disk_rate = Median(std::move(shares))};
}

double WorkOfAllLayers(const ModelConfig& config, TokenCounts counts) {
  UsefulWork work;
  for (const LayerConfig& layer : config.layers) {
    work += ForwardWork(config, layer, counts);
  }
  return work.forward + work.float32;
}

}  // namespace

absl::StatusOr<Figure> ForwardBenchmark(
    const ForwardBenchmarkOptions& options) {
  MOEPROBE_ASSIGN_OR_RETURN(const auto checkpoint,
                            Checkpoint::Open(options.checkpoint));
  MOEPROBE_ASSIGN_OR_RETURN(
      const auto id_values,
      ReadWindows(options.token_ids, options.sequence_length));
  const at::Tensor ids = at::tensor(id_values, at::kInt).to(at::kLong);
  ForwardPass pass(*checkpoint, options);
  const MemoryWatch memory;

  TokenCounts counts{.tokens = ids.size(0),
                     .sequence_length = options.sequence_length};
  Figure figure{{"benchmark", "forward"}};
  double seconds = 0;
  if (options.drop_caches_before_window) {
    counts.tokens = options.sequence_length;
    MOEPROBE_ASSIGN_OR_RETURN(const FromDisk from_disk,
                              TimeWindows(*checkpoint, pass, ids, options));
    seconds = from_disk.seconds;
    figure["share_of_disk_rate"] = from_disk.share_of_disk_rate;
  } else {
    seconds = MedianSeconds(options.repetitions, [&] { pass.Run(ids); });
  }
  figure["seconds"] = seconds;
  figure["tokens_per_second"] = static_cast<double>(counts.tokens) / seconds;
  figure["gflops"] =
      WorkOfAllLayers(checkpoint->config(), counts) / seconds / 1e9;
  memory.AddTo(figure);
  return figure;
}

}  // namespace moeprobe
