#ifndef MOEPROBE_CORE_BASE_MEMORY_LIMIT_H_
#define MOEPROBE_CORE_BASE_MEMORY_LIMIT_H_

#include <cstdint>
#include <filesystem>
#include <string>

namespace moeprobe {

// How much memory there is.
struct MemoryLimit {
  int64_t bytes = 0;
  std::string origin;  // "what the machine has", or "what control group X may"
};

// Returns what this process and those that it starts may have together: what
// the machine has, or what a control group that it is in leaves it, if that is
// less. Of both versions of control groups; what cannot be read limits nothing.
// Files are looked for below `root`.
MemoryLimit FindMemoryLimit(const std::filesystem::path& root = "/");

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_BASE_MEMORY_LIMIT_H_
