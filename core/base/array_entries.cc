#include "core/base/array_entries.h"

#include <cstdint>
#include <vector>

#include "core/base/npy.h"

namespace moeprobe {
namespace {

template <typename T>
std::vector<double> AsNumbers(const std::vector<T>& entries) {
  return {entries.begin(), entries.end()};
}

}  // namespace

std::vector<double> NumbersOf(const Array& array) {
  switch (array.type) {
    case DataType::kFloat64:
      return EntriesOf<double>(array);
    case DataType::kFloat32:
      return AsNumbers(EntriesOf<float>(array));
    case DataType::kInt64:
      return AsNumbers(EntriesOf<int64_t>(array));
  }
  return {};
}

}  // namespace moeprobe
