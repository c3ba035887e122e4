#include "core/model/weight_fingerprint.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "core/base/mutex.h"
#include "core/base/sha256.h"
#include "core/base/status_macros.h"
#include "core/checkpoint/checkpoint.h"
#include "core/checkpoint/layer_visitor.h"
#include "core/checkpoint/tensor_view.h"
#include "core/model/page_reader.h"

namespace moeprobe {
namespace {

constexpr size_t kChunkBytes = size_t{4} << 20U;  // small enough to stop soon

absl::Status Digest(const TensorView& tensor, const std::stop_token& stop,
                    Sha256& digest) {
  digest.Update(absl::StrCat("\n", static_cast<int>(tensor.type)));
  for (const int64_t size : tensor.shape)
    digest.Update(absl::StrCat(",", size));
  digest.Update(":");
  std::span<const std::byte> rest = tensor.bytes;
  while (!rest.empty()) {
    if (stop.stop_requested()) return absl::CancelledError("reading stopped");
    const auto chunk = rest.first(std::min(kChunkBytes, rest.size()));
    MOEPROBE_RETURN_IF_ERROR(ReadPages(tensor, chunk));
    digest.Update({reinterpret_cast<const char*>(chunk.data()), chunk.size()});
    rest = rest.subspan(chunk.size());
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::string> ExtendFingerprint(
    const std::string& previous, const std::vector<TensorView>& tensors,
    const std::stop_token& stop) {
  Sha256 digest;
  digest.Update(previous);
  for (const TensorView& tensor : tensors) {
    MOEPROBE_RETURN_IF_ERROR(Digest(tensor, stop, digest));
  }
  return digest.Hex();
}

absl::StatusOr<std::string> EmbeddingFingerprint(const Checkpoint& checkpoint,
                                                 const std::stop_token& stop) {
  std::vector<TensorView> tensors = {checkpoint.embedding()};
  if (checkpoint.positions()) tensors.push_back(*checkpoint.positions());
  return ExtendFingerprint(checkpoint.config_sha256(), tensors, stop);
}

absl::StatusOr<std::string> ModelFingerprint(const Checkpoint& checkpoint,
                                             const std::string& last_layer) {
  std::vector<TensorView> tensors;
  if (checkpoint.final_norm()) {
    VisitNorm(*checkpoint.final_norm(),
              [&](const TensorView& view) { tensors.push_back(view); });
  }
  tensors.push_back(checkpoint.head());
  return ExtendFingerprint(last_layer, tensors);
}

std::optional<std::string> FingerprintMemory::Find(const std::string& stamp,
                                                   int64_t layer) const {
  const MutexLock lock(mutex_);
  const auto found = known_.find({stamp, layer});
  if (found == known_.end()) return std::nullopt;
  return found->second;
}

void FingerprintMemory::Remember(const std::string& stamp, int64_t layer,
                                 const std::string& fingerprint) {
  const MutexLock lock(mutex_);
  known_[{stamp, layer}] = fingerprint;
}

}  // namespace moeprobe
