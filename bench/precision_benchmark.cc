#include "bench/precision_benchmark.h"

#include <ATen/core/Tensor.h>
#include <ATen/ops/tensor.h>

#include <cmath>

#include "absl/status/statusor.h"
#include "bench/array_file.h"
#include "bench/figure.h"
#include "bench/precision_agreement.h"
#include "core/base/status_macros.h"
#include "core/checkpoint/checkpoint.h"

namespace moeprobe {

absl::StatusOr<Figure> PrecisionBenchmark(
    const PrecisionBenchmarkOptions& options) {
  MOEPROBE_ASSIGN_OR_RETURN(const auto checkpoint,
                            Checkpoint::Open(options.checkpoint));
  MOEPROBE_ASSIGN_OR_RETURN(
      const auto ids, ReadWindows(options.token_ids, options.sequence_length));
  MOEPROBE_ASSIGN_OR_RETURN(
      const PrecisionAgreement agreement,
      ComparePrecisions(*checkpoint, at::tensor(ids, at::kInt).to(at::kLong),
                        options.sequence_length));
  return Figure{{"benchmark", "precision"},
                {"tokens", ids.size()},
                {"chosen_agreement", agreement.chosen},
                {"float32_nll", agreement.float32_nll},
                {"bfloat16_nll", agreement.bfloat16_nll},
                {"nll_difference",
                 std::abs(agreement.bfloat16_nll - agreement.float32_nll)}};
}

}  // namespace moeprobe
