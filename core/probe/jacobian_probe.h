#ifndef MOEPROBE_CORE_PROBE_JACOBIAN_PROBE_H_
#define MOEPROBE_CORE_PROBE_JACOBIAN_PROBE_H_

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/checkpoint/checkpoint.h"
#include "core/model/activation_probe.h"
#include "core/probe/alignment_gradient.h"
#include "core/probe/alignment_significance.h"
#include "core/probe/averaged_jacobian.h"
#include "core/probe/drawn_rows.h"
#include "core/probe/jacobian_sums.h"
#include "core/probe/probe_options.h"
#include "core/probe/probe_result.h"
#include "core/probe/probed_layer.h"
#include "core/significance/routing_draws.h"
#include "core/significance/window_groups.h"

namespace moeprobe {

// Alignment of a layer's experts as functions (eqs. 3-6): hand it to the
// layer's forward pass, then call Finish once. For each weighting w:
//   jacobian_norm/w [E]       Frobenius norm of the averaged Jacobian
//   jacobian_cosine/w [E, E]  sim(e, e') of eq. 6
// with what CorrectedAlignment and, for `projections` vectors,
// ProjectedAlignment make of the same averages, and, where the layer has a
// shared expert and w is `all`:
//   shared/jacobian_norm/all [], shared/jacobian_cosine/all [E]
// With spectra, r = min(top, d, f) singular values of each average beside them:
//   jacobian_mean_singular_values/w [E, r], shared/... [r]
// and with `by_tokens` what JacobianByTokens says. An expert without a counted
// token is NaN, with a warning.
class JacobianProbe final : public ActivationProbe {
 public:
  // What `layer` refers to must outlive the probe. `groups`: windows in groups,
  // for what is compared between parts of the sample.
  JacobianProbe(const ProbedLayer& layer, const JacobianOptions& options,
                const WindowGroups& groups, const NullRoutings& nulls);

  ExpertRun Plan(int64_t expert, const ExpertTokens& routed) override;
  std::optional<ExpertRun> PlanOthers(int64_t expert,
                                      const ExpertTokens& routed) override;

  // `spectra`: whose `top` counts; nullopt: no singular values. `seed`: of the
  // start of their iteration.
  // `nulls`: also says how far its means can be trusted, see
  // AlignmentSignificance. Nulls of other routings need `all` among the
  // averages, which has every expert run on every token; without it, a warning.
  ProbeResult Finish(const std::optional<SpectraOptions>& spectra,
                     const NullOptions& nulls, int64_t seed) const;

 private:
  // The averages of one weighting that have a token.
  struct Averages {
    std::string weighting;
    std::vector<AveragedJacobian> jacobians = {};
    std::vector<int64_t> experts =
        {};  // which they are of; E is the shared one
    bool with_shared = false;
  };

  bool UsesAllTokens() const;
  void AddRows(const NullRoutings& nulls);
  void AddSums(int64_t expert, const at::Tensor& routed,
               const at::Tensor& gates, ExpertRun& run);
  Averages AveragesOf(size_t w, ProbeResult& result) const;
  // Adds norms and cosines; returns the latter of all but the shared expert.
  at::Tensor AddAlignment(const Averages& averages, const at::Tensor& gram,
                          ProbeResult& result) const;
  std::vector<AlignmentGradient> GradientsOf(const Averages& averages,
                                             JacobianBlocks& blocks,
                                             const at::Tensor& gram) const;
  ProbeResult Significance(const std::vector<ObservedAlignment>& observed,
                           const NullOptions& options, int64_t seed) const;
  ProbeResult ByTokens(int64_t seed) const;
  void AddSpectra(const Averages& averages, int64_t top, int64_t seed,
                  ProbeResult& result) const;

  JacobianSums sums_;
  JacobianOptions options_;
  at::Tensor counted_;         // [T] float32: 1 or 0
  at::Tensor routed_;          // [E, T] float32: 1 or 0
  at::Tensor gates_;           // [E, T] float32
  at::Tensor group_of_token_;  // [T] int64
  DrawnRows
      drawn_;  // with `by_tokens`, a set of a row for each expert's follows
  at::Tensor token_counts_;  // with `by_tokens`, of those: [E] float64
};

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_PROBE_JACOBIAN_PROBE_H_
