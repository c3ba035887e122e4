#include "server/array_numbers.h"

#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "core/base/npy.h"

namespace moeprobe {
namespace {

template <typename T>
std::vector<double> EntriesOf(const std::string& bytes) {
  std::vector<T> entries(bytes.size() / sizeof(T));
  std::memcpy(entries.data(), bytes.data(), entries.size() * sizeof(T));
  return {entries.begin(), entries.end()};
}

}  // namespace

std::vector<double> NumbersOf(const Array& array) {
  switch (array.type) {
    case DataType::kFloat64:
      return EntriesOf<double>(array.bytes);
    case DataType::kFloat32:
      return EntriesOf<float>(array.bytes);
    case DataType::kInt64:
      return EntriesOf<int64_t>(array.bytes);
  }
  return {};
}

}  // namespace moeprobe
