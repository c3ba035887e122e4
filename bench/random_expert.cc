#include "bench/random_expert.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/randn.h>

#include <cmath>
#include <cstdint>
#include <filesystem>

#include "absl/status/status.h"
#include "bench/array_file.h"
#include "core/base/status_macros.h"
#include "core/checkpoint/checkpoint.h"
#include "core/model/weight.h"

namespace moeprobe {
namespace {

at::Tensor RandomWeight(int64_t rows, int64_t columns) {
  return at::randn({rows, columns}) / std::sqrt(columns);
}

}  // namespace

RandomExpert::RandomExpert(int64_t width, int64_t expert_width,
                           int64_t token_count)
    : gate(RandomWeight(expert_width, width)),
      up(RandomWeight(expert_width, width)),
      down(RandomWeight(width, expert_width)),
      x(at::randn({token_count, width})) {}

MlpTensors RandomExpert::Views() const {
  return {.gate = ViewOf(gate, "gate"),
          .up = ViewOf(up, "up"),
          .down = ViewOf(down, "down")};
}

absl::Status RandomExpert::Dump(const std::filesystem::path& directory) const {
  MOEPROBE_RETURN_IF_ERROR(WriteArray(directory / "gate.npy", gate));
  MOEPROBE_RETURN_IF_ERROR(WriteArray(directory / "up.npy", up));
  MOEPROBE_RETURN_IF_ERROR(WriteArray(directory / "down.npy", down));
  return WriteArray(directory / "x.npy", x);
}

}  // namespace moeprobe
