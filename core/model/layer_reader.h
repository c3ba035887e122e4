#ifndef MOEPROBE_CORE_MODEL_LAYER_READER_H_
#define MOEPROBE_CORE_MODEL_LAYER_READER_H_

#include <condition_variable>
#include <cstdint>
#include <map>
#include <string>
#include <thread>

#include "absl/status/statusor.h"
#include "core/base/mutex.h"
#include "core/checkpoint/checkpoint.h"

namespace moeprobe {

// Reads the weights of layers in order, one layer ahead of the computation, on
// a thread of its own: their pages are in memory when they are needed, and
// their digest is taken on the way.
//
// A layer's fingerprint covers config.json, the embedding and every layer up to
// and including it: all that determines the hidden states there.
class LayerReader {
 public:
  // Reads layers `first` to `last`; `previous` is the fingerprint of layer
  // `first` - 1, empty if `first` is 0. `checkpoint` must outlive the reader.
  LayerReader(const Checkpoint& checkpoint, int64_t first, int64_t last,
              std::string previous);
  // Stops reading.
  ~LayerReader() = default;

  // Waits until `layer` has been read, lets the reader go on to the next one,
  // and returns the layer's fingerprint. Call for each layer in order.
  //
  // Returns DataLoss if a file was cut while mapped.
  absl::StatusOr<std::string> Wait(int64_t layer);

 private:
  void Run(const std::stop_token& stop, int64_t first, int64_t last,
           std::string fingerprint);

  const Checkpoint& checkpoint_;
  Mutex mutex_;
  std::condition_variable_any changed_;
  std::map<int64_t, absl::StatusOr<std::string>> done_ ABSL_GUARDED_BY(mutex_);
  int64_t wanted_ ABSL_GUARDED_BY(mutex_);  // reads up to this layer
  std::jthread thread_;                     // last: uses all of the above
};

// Returns the fingerprint of a whole model: that of its last layer, with the
// final norm and the head. It determines the loss.
absl::StatusOr<std::string> ModelFingerprint(const Checkpoint& checkpoint,
                                             const std::string& last_layer);

// Gives the pages of a layer's weights back to the system. They stay in the
// page cache as long as there is room.
void ReleaseLayer(const Checkpoint& checkpoint, int64_t layer);

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_MODEL_LAYER_READER_H_
