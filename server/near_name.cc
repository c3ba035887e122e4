#include "server/near_name.h"

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"

namespace moeprobe {
namespace {

// Longer names are compared by their beginnings only.
constexpr size_t kMaxLength = 200;

size_t EditDistance(const std::string& a, const std::string& b) {
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({replaced, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row.back();
}

}  // namespace

std::string NearName(const std::string& name,
                     const std::vector<std::string>& candidates) {
  const std::string wanted = absl::AsciiStrToLower(name.substr(0, kMaxLength));
  std::string nearest;
  size_t smallest = wanted.size() / 3 + 2;
  for (const std::string& candidate : candidates) {
    const size_t distance = EditDistance(
        wanted, absl::AsciiStrToLower(candidate.substr(0, kMaxLength)));
    if (distance < smallest) {
      smallest = distance;
      nearest = candidate;
    }
  }
  return nearest;
}

}  // namespace moeprobe
