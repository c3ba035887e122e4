#include "client/text/nearest_name.h"

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/ascii.h"

namespace moeprobe {
namespace {

// Longer words are not typing errors.
constexpr size_t kLongestWord = 64;

// Edit distance with swaps of neighbours (optimal string alignment).
size_t Distance(std::string_view a, std::string_view b) {
  std::vector<std::vector<size_t>> table(a.size() + 1,
                                         std::vector<size_t>(b.size() + 1));
  for (size_t i = 0; i <= a.size(); ++i) table[i][0] = i;
  for (size_t j = 0; j <= b.size(); ++j) table[0][j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t replaced =
          table[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      table[i][j] =
          std::min({table[i - 1][j] + 1, table[i][j - 1] + 1, replaced});
      const bool swapped =
          i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (swapped) {
        table[i][j] = std::min(table[i][j], table[i - 2][j - 2] + 1);
      }
    }
  }
  return table[a.size()][b.size()];
}

}  // namespace

std::string NearestName(std::string_view word,
                        const std::vector<std::string>& names) {
  if (word.size() > kLongestWord) return "";
  const std::string lower =
      absl::AsciiStrToLower(absl::string_view(word.data(), word.size()));
  std::string nearest;
  size_t least = kLongestWord;
  for (const std::string& name : names) {
    const size_t distance = Distance(lower, name);
    if (3 * distance > std::max(word.size(), name.size())) continue;
    if (distance < least) {
      least = distance;
      nearest = name;
    }
  }
  return nearest;
}

}  // namespace moeprobe
