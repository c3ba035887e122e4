#ifndef MOEPROBE_CORE_TENSOR_LIBTORCH_KERNELS_H_
#define MOEPROBE_CORE_TENSOR_LIBTORCH_KERNELS_H_

#include <string>

#include "absl/status/status.h"

namespace moeprobe {

// Internal where LibTorch cannot read what the processor offers, from
// /proc/cpuinfo. It reads it once a process, and without it computes with the
// kernels for any processor, which are slow and round otherwise.
absl::Status CheckLibtorchKernels();

// Returns the version of LibTorch that computes and the kernels that it chose,
// such as "2.13.0 AVX512": two that differ in either round differently.
std::string LibtorchVersion();

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_TENSOR_LIBTORCH_KERNELS_H_
