#include "core/tensor/libtorch_kernels.h"

#include <ATen/Version.h>
#include <cpuinfo.h>
#include <torch/headeronly/version.h>

#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace moeprobe {

absl::Status CheckLibtorchKernels() {
  if (cpuinfo_initialize()) return absl::OkStatus();
  return absl::InternalError(
      "LibTorch cannot tell from /proc/cpuinfo what this processor offers, and "
      "would compute with slower kernels that round otherwise: expected a "
      "/proc that this process can read");
}

std::string LibtorchVersion() {
  return absl::StrCat(TORCH_VERSION, " ", at::get_cpu_capability());
}

}  // namespace moeprobe
