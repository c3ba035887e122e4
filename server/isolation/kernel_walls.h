#ifndef MOEPROBE_SERVER_ISOLATION_KERNEL_WALLS_H_
#define MOEPROBE_SERVER_ISOLATION_KERNEL_WALLS_H_

#include <string>
#include <vector>

#include "absl/status/status.h"

namespace moeprobe {

// What a kernel has to put up walls with.
struct KernelWalls {
  int landlock_version = 0;  // 0: none
  bool can_forbid_sockets = false;
};

// Asks the kernel that runs.
KernelWalls WallsOfThisKernel();

// Returns what is missing around workers under such a kernel, each in one line
// with what it means and what to do; nothing where nothing is missing.
std::vector<std::string> GapsIn(const KernelWalls& walls);

// Returns in one line what keeps workers in under such a kernel.
std::string Description(const KernelWalls& walls);

// OK where workers are kept from other files and from sockets, be it with gaps;
// FailedPrecondition that says what is missing otherwise.
absl::Status CheckWalls(const KernelWalls& walls);

}  // namespace moeprobe

#endif  // MOEPROBE_SERVER_ISOLATION_KERNEL_WALLS_H_
