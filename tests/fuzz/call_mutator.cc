#include "tests/fuzz/call_mutator.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "tests/fuzz/seed_calls.h"

namespace moeprobe {
namespace {

CallMessages CopyOf(const CallMessages& call) {
  CallMessages copy;
  for (const auto& message : call) {
    copy.emplace_back(message->New());
    copy.back()->CopyFrom(*message);
  }
  return copy;
}

}  // namespace

CallMutator::CallMutator(int64_t seed, const std::vector<std::string>& words)
    : random_(seed, /*index=*/3), fields_(seed, words), bytes_(seed, words) {}

std::vector<std::string> CallMutator::Mutate(
    const std::vector<CallMessages>& seeds) {
  CallMessages call = CopyOf(seeds[Below(seeds.size())]);
  if (Below(8) > 0) fields_.Mutate(*call[Below(call.size())]);
  if (call.size() > 1 && Below(2) == 0) Rearrange(call);
  std::vector<std::string> bytes;
  bytes.reserve(call.size());
  for (const auto& message : call) {
    bytes.push_back(message->SerializePartialAsString());
  }
  if (Below(4) > 0) return bytes;
  std::string& spoilt = bytes[Below(bytes.size())];
  spoilt = bytes_.Mutate(spoilt);
  return bytes;
}

// A message is missing, or comes first, or all come again.
void CallMutator::Rearrange(CallMessages& call) {
  const auto place =
      call.begin() + static_cast<std::ptrdiff_t>(Below(call.size()));
  switch (Below(3)) {
    case 0:
      call.erase(place);
      break;
    case 1:
      std::iter_swap(call.begin(), place);
      break;
    default:
      for (auto& message : CopyOf(call)) call.push_back(std::move(message));
  }
}

}  // namespace moeprobe
