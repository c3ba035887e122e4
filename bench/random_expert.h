#ifndef MOEPROBE_BENCH_RANDOM_EXPERT_H_
#define MOEPROBE_BENCH_RANDOM_EXPERT_H_

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <filesystem>

#include "absl/status/status.h"
#include "core/checkpoint/checkpoint.h"

namespace moeprobe {

// A gated expert in float32 that owns its weights, and tokens for it. Random;
// products keep the size of what they multiply.
struct RandomExpert {
  RandomExpert(int64_t width, int64_t expert_width, int64_t token_count);

  // Valid as long as the expert is.
  MlpTensors Views() const;

  // Writes gate.npy, up.npy, down.npy and x.npy, so that a peer computes the
  // same.
  absl::Status Dump(const std::filesystem::path& directory) const;

  at::Tensor gate, up;  // [f, d]
  at::Tensor down;      // [d, f]
  at::Tensor x;         // [T, d]
};

}  // namespace moeprobe

#endif  // MOEPROBE_BENCH_RANDOM_EXPERT_H_
