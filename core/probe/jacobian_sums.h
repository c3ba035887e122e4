#ifndef MOEPROBE_CORE_PROBE_JACOBIAN_SUMS_H_
#define MOEPROBE_CORE_PROBE_JACOBIAN_SUMS_H_

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "core/checkpoint/checkpoint.h"
#include "core/model/mlp.h"
#include "core/probe/averaged_jacobian.h"
#include "core/probe/probe_options.h"

namespace moeprobe {

// Which window groups an average is over: every `step`th from `first` on.
struct GroupRange {
  int64_t first = 0;
  int64_t step = 1;
};

inline constexpr GroupRange kWholeSample{.first = 0, .step = 1};
inline constexpr GroupRange kEvenGroups{.first = 0, .step = 2};
inline constexpr GroupRange kOddGroups{.first = 1, .step = 2};

// What a layer's forward pass adds up for averaged Jacobians: by expert, window
// group and weighting. Averages over any groups are exact sums of these, and
// so are their Jacobians, which are linear in them.
class JacobianSums {
 public:
  // `tensors` must outlive the object.
  JacobianSums(const LayerTensors& tensors, std::vector<Weighting> weightings,
               int64_t groups);

  // Where a run of `expert` adds its sums. `run.weights` [weightings, n] and
  // `run.groups` [n] are set.
  void AddTo(int64_t expert, ExpertRun& run);

  // Experts, without the shared one, which stands after them where there is
  // one. A dense layer is one expert.
  int64_t expert_count() const { return expert_count_; }
  bool has_shared() const { return tensors_.shared.has_value(); }
  bool IsShared(int64_t expert) const { return expert == expert_count_; }
  int64_t groups() const { return groups_; }
  int64_t width() const { return Weights(0).gate.shape[1]; }  // d

  const std::vector<Weighting>& weightings() const { return weightings_; }
  const MlpTensors& Weights(int64_t expert) const;

  // Whether every weight is stored in bfloat16.
  bool StoredInBFloat16() const;

  // Returns the weight of an expert's tokens in each group, [groups] float64.
  // `weighting`: its place among the weightings.
  at::Tensor WeightTotals(int64_t expert, size_t weighting) const;

  // Returns the same of all groups in `range` together.
  double WeightTotal(int64_t expert, size_t weighting,
                     GroupRange range = kWholeSample) const;

  // Returns an expert's averaged Jacobian over some groups, whose total weight
  // must not be zero.
  AveragedJacobian Average(int64_t expert, size_t weighting,
                           GroupRange range = kWholeSample) const;

  // Returns the sums themselves, a row for each group, in memory of their own.
  ActivationSums ByGroup(int64_t expert, size_t weighting) const;

 private:
  const LayerTensors& tensors_;
  std::vector<Weighting> weightings_;
  int64_t groups_;
  int64_t expert_count_;
  // By expert, the shared one last.
  std::vector<ActivationSums> sums_;  // [groups, weightings, f]
  std::vector<at::Tensor> totals_;    // [groups, weightings] float64
};

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_PROBE_JACOBIAN_SUMS_H_
