#ifndef MOEPROBE_CORE_CHECKPOINT_SAFETENSORS_DTYPE_H_
#define MOEPROBE_CORE_CHECKPOINT_SAFETENSORS_DTYPE_H_

#include <cstdint>
#include <string_view>

namespace moeprobe {

// An element type of the safetensors format.
struct SafetensorsDtype {
  std::string_view name;
  int64_t bits = 0;
};

// Returns the type called `name`, as case has it; nullptr if the format knows
// none. The result is static.
const SafetensorsDtype* FindSafetensorsDtype(std::string_view name);

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_CHECKPOINT_SAFETENSORS_DTYPE_H_
