#include "core/base/default_address.h"

#include <unistd.h>

#include <cstdlib>
#include <string>

#include "absl/strings/str_cat.h"

namespace moeprobe {

std::string DefaultAddress() {
  const char* directory = std::getenv("XDG_RUNTIME_DIR");
  if (directory != nullptr && directory[0] != '\0') {
    return absl::StrCat("unix:", directory, "/moeprobe.sock");
  }
  return absl::StrCat("unix:/tmp/moeprobe-", getuid(), ".sock");
}

}  // namespace moeprobe
