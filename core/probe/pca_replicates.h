#ifndef MOEPROBE_CORE_PROBE_PCA_REPLICATES_H_
#define MOEPROBE_CORE_PROBE_PCA_REPLICATES_H_

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "core/model/router.h"
#include "core/probe/probe_options.h"
#include "core/probe/projected_tokens.h"
#include "core/probe/replicate_pca.h"
#include "core/significance/window_groups.h"

namespace moeprobe {

// Makes replicates of the PCAs of a layer's experts in one convention.
// Immutable; what it is made from must outlive it.
class PcaReplicates {
 public:
  // `counted` [T] bool: tokens that count.
  PcaReplicates(const ProjectedTokens& tokens, const at::Tensor& counted,
                const WindowGroups& windows, Convention convention,
                int64_t components);

  // Returns the PCAs of all experts, r = E, where tokens go as in `experts`,
  // counted ones only.
  ReplicatePca OfRouting(const std::vector<ExpertTokens>& experts) const;

  // Returns the PCAs of one expert with the tokens of window group j taken
  // `counts[i][j]` times, for each i; `counts` [r, G] float64.
  ReplicatePca OfWindows(const ExpertTokens& expert,
                         const at::Tensor& counts) const;

  // Memory either takes in a loop of many, in bytes.
  int64_t BytesOfRouting(int64_t expert_count) const;
  int64_t BytesOfWindows() const;

 private:
  Moments MomentsOfExpert(const ExpertTokens& expert) const;
  Moments MomentsByWindow(const ExpertTokens& expert) const;
  ReplicatePca Find(const Moments& moments,
                    const at::Tensor& token_count) const;

  const ProjectedTokens& tokens_;
  const WindowGroups& windows_;
  Convention convention_;
  int64_t components_;
  at::Tensor token_counts_;  // [G] float64: tokens that count, by group
};

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_PROBE_PCA_REPLICATES_H_
