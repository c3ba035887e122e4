#ifndef MOEPROBE_CORE_CHECKPOINT_HEADER_TENSOR_H_
#define MOEPROBE_CORE_CHECKPOINT_HEADER_TENSOR_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "core/base/strict_json.h"

namespace moeprobe {

// One entry of a safetensors header.
struct HeaderTensor {
  std::string name;
  std::string_view dtype;  // the format's name of it, "BF16"; static
  std::vector<int64_t> shape;
  int64_t begin = 0;  // bytes from the start of the data
  int64_t end = 0;
};

// Reads the entry `name`, whose value must be an object of exactly dtype, shape
// and data_offsets, the offsets as far apart as shape and dtype need.
//
// Errors do not name the tensor. DataLoss for anything else; Unimplemented for
// a dtype that the format does not define.
absl::StatusOr<HeaderTensor> ParseHeaderTensor(const std::string& name,
                                               const JsonValue& value);

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_CHECKPOINT_HEADER_TENSOR_H_
