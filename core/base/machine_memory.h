#ifndef MOEPROBE_CORE_BASE_MACHINE_MEMORY_H_
#define MOEPROBE_CORE_BASE_MACHINE_MEMORY_H_

#include <cstdint>

namespace moeprobe {

// Bytes of memory that this machine has, used or not.
int64_t MachineMemoryBytes();

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_BASE_MACHINE_MEMORY_H_
