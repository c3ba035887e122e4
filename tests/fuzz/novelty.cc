#include "tests/fuzz/novelty.h"

#include <cstddef>
#include <string>

#include "absl/strings/ascii.h"

namespace moeprobe {
namespace {

constexpr size_t kMostKinds = 4000;

std::string KindOf(const std::string& answer) {
  std::string kind;
  bool quoted = false;
  for (const char c : answer) {
    if (c == '"') quoted = !quoted;
    if (!quoted && !absl::ascii_isdigit(static_cast<unsigned char>(c))) {
      kind += c;
    }
  }
  return kind;
}

}  // namespace

bool Novelty::IsNew(const std::string& answer) {
  return seen_.size() < kMostKinds && seen_.insert(KindOf(answer)).second;
}

}  // namespace moeprobe
