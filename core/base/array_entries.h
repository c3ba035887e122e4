#ifndef MOEPROBE_CORE_BASE_ARRAY_ENTRIES_H_
#define MOEPROBE_CORE_BASE_ARRAY_ENTRIES_H_

#include <cstring>
#include <vector>

#include "core/base/npy.h"

namespace moeprobe {

// Returns the entries of an array whose type is T (double, float or int64_t),
// row-major.
template <typename T>
std::vector<T> EntriesOf(const Array& array) {
  std::vector<T> entries(array.bytes.size() / sizeof(T));
  if (entries.empty()) return entries;  // which need not point anywhere
  std::memcpy(entries.data(), array.bytes.data(), entries.size() * sizeof(T));
  return entries;
}

// Returns the entries of an array of any type as numbers, row-major.
std::vector<double> NumbersOf(const Array& array);

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_BASE_ARRAY_ENTRIES_H_
