#ifndef MOEPROBE_CORE_BASE_NPY_HEADER_H_
#define MOEPROBE_CORE_BASE_NPY_HEADER_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace moeprobe {

// What stands in front of the numbers of a .npy.
struct NpyHeader {
  std::string descr;  // numpy's name of the element type, such as "<f8"
  bool fortran_order = false;
  std::vector<int64_t> shape;
  size_t data_offset = 0;  // where the numbers begin
};

// Longest header there is, with what stands before it: format 2.0 could say
// more, and would only say spaces.
inline constexpr size_t kMaxNpyHeaderBytes = 12 + 65535;

// Reads the header of a .npy of format 1.0 or 2.0: a Python dictionary with
// exactly the keys descr (a string), fortran_order and shape.
//
// Returns InvalidArgument that says at which byte it is anything else.
absl::StatusOr<NpyHeader> ParseNpyHeader(std::string_view npy);

// Returns the header of format 1.0 as numpy.save writes it, in C order.
std::string EncodeNpyHeader(std::string_view descr,
                            const std::vector<int64_t>& shape);

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_BASE_NPY_HEADER_H_
