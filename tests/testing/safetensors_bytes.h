#ifndef MOEPROBE_TESTS_TESTING_SAFETENSORS_BYTES_H_
#define MOEPROBE_TESTS_TESTING_SAFETENSORS_BYTES_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace moeprobe {

// A tensor to be written to a safetensors file.
struct TensorToWrite {
  std::string name;
  std::string dtype;  // "F32", "F16", "BF16" or any other
  std::vector<int64_t> shape;
  std::string bytes;
};

// Returns a safetensors file with these tensors, in order, its data at a
// multiple of 8.
std::string SafetensorsBytes(const std::vector<TensorToWrite>& tensors);

// Returns the length of `header`, `header` and `data`, whatever they say.
std::string RawSafetensors(std::string_view header, std::string_view data = "");

// Returns `length` as the first 8 bytes of a safetensors file.
std::string HeaderLengthBytes(uint64_t length);

}  // namespace moeprobe

#endif  // MOEPROBE_TESTS_TESTING_SAFETENSORS_BYTES_H_
