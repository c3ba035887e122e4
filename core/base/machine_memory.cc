#include "core/base/machine_memory.h"

#include <unistd.h>

#include <cstdint>

namespace moeprobe {

int64_t MachineMemoryBytes() {
  return int64_t{sysconf(_SC_PHYS_PAGES)} * sysconf(_SC_PAGESIZE);
}

}  // namespace moeprobe
