#include "bench/step_clock.h"

#include <chrono>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "core/base/npy.h"
#include "core/pipeline/analyze.h"
#include "core/probe/probe_result.h"

namespace moeprobe {
namespace {

std::vector<int64_t> Integers(const Array& array) {
  std::vector<int64_t> values(array.bytes.size() / sizeof(int64_t));
  std::memcpy(values.data(), array.bytes.data(), array.bytes.size());
  return values;
}

}  // namespace

absl::Status StepClock::OnProgress(const std::string& phase,
                                   double /*fraction*/) {
  // A phase is such as "layer 3 (last: 16), attention".
  const size_t comma = phase.find("), ");
  Begin(comma == std::string::npos ? phase : phase.substr(comma + 3));
  return absl::OkStatus();
}

absl::Status StepClock::OnLayer(const LayerResult& result) {
  for (const NamedArray& array : result.arrays) {
    if (array.name.ends_with("/expert_count")) {
      routed_counts_[result.layer] = Integers(array.array);
    }
  }
  Begin("publishing");
  return absl::OkStatus();
}

void StepClock::Begin(const std::string& step) {
  const auto now = std::chrono::steady_clock::now();
  const std::chrono::duration<double> elapsed = now - begin_;
  seconds_by_step_[step_] += elapsed.count();
  step_ = step;
  begin_ = now;
}

}  // namespace moeprobe
