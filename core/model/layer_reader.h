#ifndef MOEPROBE_CORE_MODEL_LAYER_READER_H_
#define MOEPROBE_CORE_MODEL_LAYER_READER_H_

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/base/mutex.h"
#include "core/checkpoint/checkpoint.h"
#include "core/checkpoint/tensor_view.h"
#include "core/model/weight_fingerprint.h"

namespace moeprobe {

// A layer that a LayerReader reads.
struct LayerToRead {
  int64_t layer = 0;
  // Fingerprint of the layer before, empty for layer 0; nullopt: the layer
  // before is read before this one.
  std::optional<std::string> previous = {};
  // The last weight that is needed; nullopt: all are. Those behind it are read
  // only for the layer's fingerprint, where that is not known.
  std::optional<TensorView> last = {};
};

// Reads the weights of layers in order, at most one of them ahead of the
// computation, on threads of its own: their pages are in memory when they are
// needed, and their digest is taken on the way, unless it is known.
//
// For each layer in order: Begin, WaitFor each weight before its use, Finish.
class LayerReader {
 public:
  // Reads `layers`, ascending. The references must outlive the reader.
  LayerReader(const Checkpoint& checkpoint, FingerprintMemory& memory,
              std::vector<LayerToRead> layers);
  // Stops reading.
  ~LayerReader() = default;

  // Lets the reader go on to the next layer once it has read `layer`, which is
  // one of them.
  void Begin(int64_t layer);

  // Waits until a weight of the layer begun is in memory. So are then those
  // that stand before it in `Checkpoint::TensorsOfLayer`.
  //
  // Returns DataLoss if a file was cut while mapped.
  absl::Status WaitFor(const TensorView& tensor);

  // Waits until the layer begun has been read and digested, and gives its pages
  // back; returns its fingerprint and remembers it, or DataLoss as above.
  absl::StatusOr<std::string> Finish();

 private:
  void Run(const std::stop_token& stop, const std::vector<LayerToRead>& layers);
  void OnArrival(const TensorView& tensor);
  absl::StatusOr<std::string> Read(const std::stop_token& stop,
                                   const LayerToRead& layer,
                                   const std::string& previous);

  const Checkpoint& checkpoint_;
  FingerprintMemory& memory_;
  Mutex mutex_;
  std::condition_variable_any changed_;
  // Weights in memory, by address; of the layer begun and the next.
  absl::flat_hash_set<const std::byte*> arrived_ ABSL_GUARDED_BY(mutex_);
  std::map<int64_t, absl::StatusOr<std::string>> done_ ABSL_GUARDED_BY(mutex_);
  int64_t begun_ ABSL_GUARDED_BY(mutex_) = -1;  // reads one behind it
  std::jthread thread_;                         // last: uses all of the above
};

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_MODEL_LAYER_READER_H_
