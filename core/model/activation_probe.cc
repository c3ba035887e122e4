#include "core/model/activation_probe.h"

#include <ATen/ops/arange.h>
#include <c10/core/ScalarType.h>

#include <cstdint>

#include "core/model/mlp.h"
#include "core/model/router.h"

namespace moeprobe {

ExpertRun PlanRoutedTokens(const ExpertTokens& routed) {
  const int64_t count = routed.tokens.size(0);
  return {.tokens = routed.tokens,
          .rows = at::arange(count, at::kLong),
          .output_count = count};
}

}  // namespace moeprobe
