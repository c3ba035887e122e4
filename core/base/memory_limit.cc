#include "core/base/memory_limit.h"

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "core/base/machine_memory.h"

namespace moeprobe {
namespace {

namespace fs = std::filesystem;

// A control group as a line of /proc/self/cgroup names it: its path below a
// directory, and the file there that has the limit.
struct ControlGroup {
  std::string path;
  const char* directory;
  const char* file;
};

std::vector<ControlGroup> GroupsOfThisProcess(const fs::path& root) {
  std::vector<ControlGroup> groups;
  std::ifstream lines(root / "proc/self/cgroup");
  for (std::string line; std::getline(lines, line);) {
    // Number, controllers, path; the second version has number 0 and no name.
    const std::vector<std::string> parts =
        absl::StrSplit(line, absl::MaxSplits(':', 2));
    if (parts.size() != 3) continue;
    if (parts[1] == "memory") {
      groups.push_back({.path = parts[2],
                        .directory = "sys/fs/cgroup/memory",
                        .file = "memory.limit_in_bytes"});
    } else if (parts[1].empty()) {
      groups.push_back({.path = parts[2],
                        .directory = "sys/fs/cgroup",
                        .file = "memory.max"});
    }
  }
  return groups;
}

// A group has no more than those around it.
void Apply(const ControlGroup& group, const fs::path& root,
           MemoryLimit& limit) {
  fs::path path = fs::path(group.path).relative_path();
  while (true) {
    std::ifstream file(root / group.directory / path / group.file);
    int64_t bytes = 0;  // "max", which is no number, is no limit
    if (file >> bytes && bytes > 0 && bytes < limit.bytes) {
      limit = {.bytes = bytes,
               .origin = absl::StrCat("what control group /", path.native(),
                                      " may have")};
    }
    if (path.empty()) return;
    path = path.parent_path();
  }
}

}  // namespace

MemoryLimit FindMemoryLimit(const fs::path& root) {
  MemoryLimit limit{.bytes = MachineMemoryBytes(),
                    .origin = "what the machine has"};
  for (const ControlGroup& group : GroupsOfThisProcess(root)) {
    Apply(group, root, limit);
  }
  return limit;
}

}  // namespace moeprobe
