#include "tests/fuzz/mutator.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "core/base/random_stream.h"

namespace moeprobe {
namespace {

constexpr size_t kMostChanges = 8;
constexpr size_t kLongestPiece = 32;
constexpr size_t kByteValues = 256;
constexpr size_t kBitsOfByte = 8;

}  // namespace

Mutator::Mutator(int64_t seed, std::vector<std::string> words)
    : random_(seed, /*index=*/0), words_(std::move(words)) {}

size_t Mutator::Below(size_t bound) { return random_.Below(bound); }

std::string Mutator::Mutate(std::string input) {
  for (size_t left = 1 + Below(kMostChanges); left > 0; --left) Change(input);
  return input;
}

void Mutator::Change(std::string& input) {
  const size_t place = Below(input.size() + 1);
  const size_t length =
      std::min(1 + Below(kLongestPiece), input.size() - place);
  switch (Below(5)) {
    case 0:
      input.insert(place, words_[Below(words_.size())]);
      break;
    case 1:
      input.erase(place, length);
      break;
    case 2:
      input.insert(Below(input.size() + 1), input.substr(place, length));
      break;
    case 3:
      if (length > 0) input[place] = static_cast<char>(Below(kByteValues));
      break;
    default:
      if (length == 0) break;
      input[place] =
          static_cast<char>(static_cast<unsigned char>(input[place]) ^
                            (1U << Below(kBitsOfByte)));
  }
}

}  // namespace moeprobe
