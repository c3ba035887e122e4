#ifndef MOEPROBE_CORE_BASE_MACHINE_MEMORY_H_
#define MOEPROBE_CORE_BASE_MACHINE_MEMORY_H_

#include <cstdint>
#include <optional>

namespace moeprobe {

// Bytes of memory that this machine has, used or not.
int64_t MachineMemoryBytes();

// Bytes that the kernel would find for whoever asks, without swapping; nullopt
// where it does not say.
std::optional<int64_t> AvailableMemoryBytes();

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_BASE_MACHINE_MEMORY_H_
