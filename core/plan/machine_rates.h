#ifndef MOEPROBE_CORE_PLAN_MACHINE_RATES_H_
#define MOEPROBE_CORE_PLAN_MACHINE_RATES_H_

#include <cstdint>
#include <string>

namespace moeprobe {

// How a worker computes, and how fast, as it measured.
struct MachineRates {
  // Operations a second of matrix products, by type.
  double float32 = 0;
  double bfloat16 = 0;
  double float64 = 0;
  // Operations a second of symmetric eigenproblems in float64, each of size n
  // counted as 4/3 n^3.
  double eigen = 0;
  // Bytes a second that elementwise operations read and write.
  double memory = 0;
  // Bytes a second of digests, which weights are read through.
  double digest = 0;
  // Bytes of memory that it holds without a task, mapped files left out.
  int64_t resting_bytes = 0;
  int threads = 0;
  std::string libtorch_version = {};
};

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_PLAN_MACHINE_RATES_H_
