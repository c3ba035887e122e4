#ifndef MOEPROBE_CORE_MODEL_LAYER_READER_H_
#define MOEPROBE_CORE_MODEL_LAYER_READER_H_

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <map>
#include <stop_token>
#include <string>
#include <thread>

#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/base/mutex.h"
#include "core/checkpoint/checkpoint.h"
#include "core/checkpoint/tensor_view.h"
#include "core/model/weight_fingerprint.h"

namespace moeprobe {

// Reads the weights of layers in order, at most one layer ahead of the
// computation, on threads of its own: their pages are in memory when they are
// needed, and their digest is taken on the way, unless it is known.
//
// For each layer in order: Begin, WaitFor each weight before its use, Finish.
class LayerReader {
 public:
  // Reads layers `first` to `last`; `previous` is the fingerprint of layer
  // `first` - 1, empty if `first` is 0. The references must outlive the reader.
  LayerReader(const Checkpoint& checkpoint, FingerprintMemory& memory,
              int64_t first, int64_t last, std::string previous);
  // Stops reading.
  ~LayerReader() = default;

  // Lets the reader go on to the next layer once it has read `layer`.
  void Begin(int64_t layer);

  // Waits until a weight of the layer begun is in memory. So are then those
  // that stand before it in `Checkpoint::TensorsOfLayer`.
  //
  // Returns DataLoss if a file was cut while mapped.
  absl::Status WaitFor(const TensorView& tensor);

  // Waits until the layer begun has been read and digested, and gives its pages
  // back; returns its fingerprint, or DataLoss as above.
  absl::StatusOr<std::string> Finish();

 private:
  void Run(const std::stop_token& stop, int64_t first, int64_t last,
           std::string previous);
  void OnArrival(const TensorView& tensor);
  absl::StatusOr<std::string> Read(const std::stop_token& stop, int64_t layer,
                                   const std::string& previous);

  const Checkpoint& checkpoint_;
  FingerprintMemory& memory_;
  Mutex mutex_;
  std::condition_variable_any changed_;
  // Weights in memory, by address; of the layer begun and the next.
  absl::flat_hash_set<const std::byte*> arrived_ ABSL_GUARDED_BY(mutex_);
  std::map<int64_t, absl::StatusOr<std::string>> done_ ABSL_GUARDED_BY(mutex_);
  int64_t begun_ ABSL_GUARDED_BY(mutex_);  // reads up to the layer after it
  std::jthread thread_;                    // last: uses all of the above
};

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_MODEL_LAYER_READER_H_
