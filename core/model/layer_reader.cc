#include "core/model/layer_reader.h"

#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
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
      begun_(first - 1),
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
      return begun_ >= layer;
    };
    if (!changed_.wait(mutex_, stop, is_wanted)) return;
  }
}

absl::StatusOr<std::string> LayerReader::Read(const std::stop_token& stop,
                                              int64_t layer,
                                              const std::string& previous) {
  const std::vector<TensorView> tensors = checkpoint_.TensorsOfLayer(layer);
  PageReader pages(tensors,
                   [this](const TensorView& tensor) { OnArrival(tensor); });
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

void LayerReader::OnArrival(const TensorView& tensor) {
  const MutexLock lock(mutex_);
  arrived_.insert(tensor.bytes.data());
  changed_.notify_all();
}

void LayerReader::Begin(int64_t layer) {
  const MutexLock lock(mutex_);
  begun_ = layer;
  changed_.notify_all();
}

absl::Status LayerReader::WaitFor(const TensorView& tensor) {
  const MutexLock lock(mutex_);
  while (!arrived_.contains(tensor.bytes.data())) {
    // Read to its end without this weight: reading has failed.
    if (done_.contains(begun_)) return done_.at(begun_).status();
    changed_.wait(mutex_);
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> LayerReader::Finish() {
  const MutexLock lock(mutex_);
  while (!done_.contains(begun_)) changed_.wait(mutex_);
  for (const TensorView& tensor : checkpoint_.TensorsOfLayer(begun_)) {
    arrived_.erase(tensor.bytes.data());
    ReleasePages(tensor);
  }
  return done_.at(begun_);
}

}  // namespace moeprobe
