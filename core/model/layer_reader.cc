#include "core/model/layer_reader.h"

#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "core/base/mutex.h"
#include "core/base/status_macros.h"
#include "core/checkpoint/checkpoint.h"
#include "core/checkpoint/tensor_view.h"
#include "core/model/page_reader.h"
#include "core/model/weight_fingerprint.h"

namespace moeprobe {

LayerReader::LayerReader(const Checkpoint& checkpoint,
                         FingerprintMemory& memory, int64_t first, int64_t last,
                         std::string previous)
    : checkpoint_(checkpoint),
      memory_(memory),
      wanted_(first),
      thread_([this, first, last,
               previous = std::move(previous)](const std::stop_token& stop) {
        Run(stop, first, last, previous);
      }) {}

void LayerReader::Run(const std::stop_token& stop, int64_t first, int64_t last,
                      std::string previous) {
  absl::StatusOr<std::string> fingerprint = std::move(previous);
  for (int64_t layer = first; layer <= last; ++layer) {
    if (fingerprint.ok()) fingerprint = Read(stop, layer, *fingerprint);
    const MutexLock lock(mutex_);
    done_.emplace(layer, fingerprint);
    changed_.notify_all();
    const auto is_wanted = [&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
      return wanted_ > layer;
    };
    if (!changed_.wait(mutex_, stop, is_wanted)) return;
  }
}

absl::StatusOr<std::string> LayerReader::Read(const std::stop_token& stop,
                                              int64_t layer,
                                              const std::string& previous) {
  const std::vector<TensorView> tensors = checkpoint_.TensorsOfLayer(layer);
  PageReader pages(tensors);
  std::optional<std::string> fingerprint =
      memory_.Find(checkpoint_.stamp(), layer);
  if (!fingerprint.has_value()) {
    std::string before = previous;
    if (layer == 0) {
      MOEPROBE_ASSIGN_OR_RETURN(before,
                                EmbeddingFingerprint(checkpoint_, stop));
    }
    MOEPROBE_ASSIGN_OR_RETURN(fingerprint,
                              ExtendFingerprint(before, tensors, stop));
    memory_.Remember(checkpoint_.stamp(), layer, *fingerprint);
  }
  MOEPROBE_RETURN_IF_ERROR(pages.Wait());
  return *std::move(fingerprint);
}

absl::StatusOr<std::string> LayerReader::Wait(int64_t layer) {
  const MutexLock lock(mutex_);
  while (!done_.contains(layer)) changed_.wait(mutex_);
  wanted_ = layer + 1;
  changed_.notify_all();
  return done_.at(layer);
}

}  // namespace moeprobe
