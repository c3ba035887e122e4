#include "core/model/layer_reader.h"

#include <algorithm>
#include <cstdint>
#include <iterator>
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
namespace {

std::vector<TensorView> UpTo(const TensorView& last,
                             const std::vector<TensorView>& tensors) {
  const auto end = std::ranges::find_if(tensors, [&](const TensorView& tensor) {
    return tensor.bytes.data() == last.bytes.data();
  });
  return {tensors.begin(), end == tensors.end() ? end : std::next(end)};
}

}  // namespace

LayerReader::LayerReader(const Checkpoint& checkpoint,
                         FingerprintMemory& memory,
                         std::vector<LayerToRead> layers)
    : checkpoint_(checkpoint),
      memory_(memory),
      thread_([this, layers = std::move(layers)](const std::stop_token& stop) {
        Run(stop, layers);
      }) {}

void LayerReader::Run(const std::stop_token& stop,
                      const std::vector<LayerToRead>& layers) {
  absl::StatusOr<std::string> fingerprint = "";
  for (const LayerToRead& layer : layers) {
    if (fingerprint.ok()) {
      fingerprint = Read(stop, layer, layer.previous.value_or(*fingerprint));
    }
    const MutexLock lock(mutex_);
    done_.emplace(layer.layer, fingerprint);
    changed_.notify_all();
    const auto is_wanted = [&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
      return begun_ >= layer.layer;
    };
    if (!changed_.wait(mutex_, stop, is_wanted)) return;
  }
}

absl::StatusOr<std::string> LayerReader::Read(const std::stop_token& stop,
                                              const LayerToRead& layer,
                                              const std::string& previous) {
  const std::vector<TensorView> tensors =
      checkpoint_.TensorsOfLayer(layer.layer);
  std::optional<std::string> fingerprint =
      memory_.Find(checkpoint_.stamp(), layer.layer);
  PageReader pages(
      fingerprint && layer.last ? UpTo(*layer.last, tensors) : tensors,
      [this](const TensorView& tensor) { OnArrival(tensor); });
  if (!fingerprint.has_value()) {
    std::string before = previous;
    if (layer.layer == 0) {
      MOEPROBE_ASSIGN_OR_RETURN(before,
                                EmbeddingFingerprint(checkpoint_, stop));
    }
    MOEPROBE_ASSIGN_OR_RETURN(fingerprint,
                              ExtendFingerprint(before, tensors, stop));
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
  const absl::StatusOr<std::string>& fingerprint = done_.at(begun_);
  // Only now: what it is chained to may have turned out to be wrong before.
  if (fingerprint.ok()) {
    memory_.Remember(checkpoint_.stamp(), begun_, *fingerprint);
  }
  return fingerprint;
}

}  // namespace moeprobe
