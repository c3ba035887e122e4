#ifndef MOEPROBE_CORE_MODEL_LAYER_READER_H_
#define MOEPROBE_CORE_MODEL_LAYER_READER_H_

#include <condition_variable>
#include <cstdint>
#include <map>
#include <stop_token>
#include <string>
#include <thread>

#include "absl/status/statusor.h"
#include "core/base/mutex.h"
#include "core/checkpoint/checkpoint.h"
#include "core/model/weight_fingerprint.h"

namespace moeprobe {

// Reads the weights of layers in order, one layer ahead of the computation, on
// threads of its own: their pages are in memory when they are needed, and their
// digest is taken on the way, unless it is known.
class LayerReader {
 public:
  // Reads layers `first` to `last`; `previous` is the fingerprint of layer
  // `first` - 1, empty if `first` is 0. The references must outlive the reader.
  LayerReader(const Checkpoint& checkpoint, FingerprintMemory& memory,
              int64_t first, int64_t last, std::string previous);
  // Stops reading.
  ~LayerReader() = default;

  // Waits until `layer` has been read, lets the reader go on to the next one,
  // and returns the layer's fingerprint. Call for each layer in order.
  //
  // Returns DataLoss if a file was cut while mapped.
  absl::StatusOr<std::string> Wait(int64_t layer);

 private:
  void Run(const std::stop_token& stop, int64_t first, int64_t last,
           std::string previous);
  absl::StatusOr<std::string> Read(const std::stop_token& stop, int64_t layer,
                                   const std::string& previous);

  const Checkpoint& checkpoint_;
  FingerprintMemory& memory_;
  Mutex mutex_;
  std::condition_variable_any changed_;
  std::map<int64_t, absl::StatusOr<std::string>> done_ ABSL_GUARDED_BY(mutex_);
  int64_t wanted_ ABSL_GUARDED_BY(mutex_);  // reads up to this layer
  std::jthread thread_;                     // last: uses all of the above
};

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_MODEL_LAYER_READER_H_
