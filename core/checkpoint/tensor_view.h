#ifndef MOEPROBE_CORE_CHECKPOINT_TENSOR_VIEW_H_
#define MOEPROBE_CORE_CHECKPOINT_TENSOR_VIEW_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace moeprobe {

// Element types of weights that moeprobe computes with.
enum class WeightType : std::uint8_t { kFloat32, kFloat16, kBFloat16 };

// A weight where it lies in a mapped file: row-major, not owned. Valid as long
// as the Checkpoint it came from.
struct TensorView {
  std::string name;  // in the file, for messages
  WeightType type = WeightType::kFloat32;
  std::vector<int64_t> shape;
  std::span<const std::byte> bytes;
};

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_CHECKPOINT_TENSOR_VIEW_H_
