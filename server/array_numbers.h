#ifndef MOEPROBE_SERVER_ARRAY_NUMBERS_H_
#define MOEPROBE_SERVER_ARRAY_NUMBERS_H_

#include <vector>

#include "core/base/npy.h"

namespace moeprobe {

// Returns the entries of an array of any type, row-major.
std::vector<double> NumbersOf(const Array& array);

}  // namespace moeprobe

#endif  // MOEPROBE_SERVER_ARRAY_NUMBERS_H_
