#ifndef MOEPROBE_CORE_MODEL_WEIGHT_FINGERPRINT_H_
#define MOEPROBE_CORE_MODEL_WEIGHT_FINGERPRINT_H_

#include <cstdint>
#include <map>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "core/base/mutex.h"
#include "core/checkpoint/checkpoint.h"
#include "core/checkpoint/tensor_view.h"

namespace moeprobe {

// Fingerprints are chained: that of a layer covers config.json, the embeddings
// and every layer up to and including it, which is all that determines the
// hidden states there.

// Returns `previous` extended by the types, shapes and bytes of `tensors`.
//
// DataLoss if a file was cut while mapped; Cancelled once `stop` is requested.
absl::StatusOr<std::string> ExtendFingerprint(
    const std::string& previous, const std::vector<TensorView>& tensors,
    const std::stop_token& stop = {});

// Returns the fingerprint before the first layer.
absl::StatusOr<std::string> EmbeddingFingerprint(
    const Checkpoint& checkpoint, const std::stop_token& stop = {});

// Returns the fingerprint of a whole model, from that of its last layer: with
// the final norm and the head, which determine the loss.
absl::StatusOr<std::string> ModelFingerprint(const Checkpoint& checkpoint,
                                             const std::string& last_layer);

// Remembers the fingerprints of layers by Checkpoint::stamp(), so that weights
// are digested once however many analyses read them. Thread-safe.
class FingerprintMemory {
 public:
  std::optional<std::string> Find(const std::string& stamp,
                                  int64_t layer) const;
  void Remember(const std::string& stamp, int64_t layer,
                const std::string& fingerprint);

 private:
  mutable Mutex mutex_;
  std::map<std::pair<std::string, int64_t>, std::string> known_
      ABSL_GUARDED_BY(mutex_);
};

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_MODEL_WEIGHT_FINGERPRINT_H_
