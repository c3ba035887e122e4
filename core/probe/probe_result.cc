#include "core/probe/probe_result.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace moeprobe {

void Append(ProbeResult from, ProbeResult& to) {
  std::ranges::move(from.arrays, std::back_inserter(to.arrays));
  std::ranges::move(from.warnings, std::back_inserter(to.warnings));
}

}  // namespace moeprobe
