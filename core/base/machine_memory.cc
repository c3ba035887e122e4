#include "core/base/machine_memory.h"

#include <unistd.h>

#include <cstdint>
#include <fstream>
#include <optional>
#include <string>

namespace moeprobe {

int64_t MachineMemoryBytes() {
  return int64_t{sysconf(_SC_PHYS_PAGES)} * sysconf(_SC_PAGESIZE);
}

std::optional<int64_t> AvailableMemoryBytes() {
  constexpr int64_t kKilobyte = 1024;
  std::ifstream file("/proc/meminfo");
  std::string name, unit;
  int64_t kilobytes = 0;
  while (file >> name >> kilobytes && std::getline(file, unit)) {
    if (name == "MemAvailable:") return kilobytes * kKilobyte;
  }
  return std::nullopt;
}

}  // namespace moeprobe
