#ifndef MOEPROBE_STORAGE_PUBLISHED_LAYER_H_
#define MOEPROBE_STORAGE_PUBLISHED_LAYER_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/base/npy.h"
#include "storage/job.h"

namespace moeprobe {

// Mean and population deviation of what an array says about a layer.
struct ArraySummary {
  double mean = 0;  // NaN where there is nothing to average
  double deviation = 0;
  int64_t count = 0;  // how many numbers the mean is over
};

// An array, without its bytes.
struct StoredArray {
  std::string name;
  std::string probe;
  DataType data_type = DataType::kFloat64;
  std::vector<int64_t> shape;
  std::string sha256;  // of the .npy bytes
  int64_t size_bytes = 0;
  std::optional<ArraySummary> summary;
};

// An array and its bytes.
struct NewArray {
  StoredArray array;               // its name without the part's prefix
  std::optional<std::string> npy;  // nullopt: the blob store has them
};

// One probe at one layer, as the cache keeps it.
struct PublishedGroup {
  std::string probe;
  std::string key;
  std::vector<NewArray> arrays;
};

// What a worker computed at one layer of a model, for one part of a job or for
// several that have it in common.
struct PublishedLayer {
  int64_t layer = 0;  // -1: of the whole model
  std::string stamp;  // of the model's files when the task was claimed
  std::string weights_fingerprint;
  std::vector<PublishedGroup> groups;
  std::vector<NeededGroup> needed;  // of the job, which `groups` may answer
  std::vector<std::string> warnings;
};

}  // namespace moeprobe

#endif  // MOEPROBE_STORAGE_PUBLISHED_LAYER_H_
