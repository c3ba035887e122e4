#ifndef MOEPROBE_CORE_PROBE_JACOBIAN_PROBE_H_
#define MOEPROBE_CORE_PROBE_JACOBIAN_PROBE_H_

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/checkpoint/checkpoint.h"
#include "core/model/activation_probe.h"
#include "core/model/router.h"
#include "core/probe/averaged_jacobian.h"
#include "core/probe/probe_options.h"
#include "core/probe/probe_result.h"

namespace moeprobe {

// Alignment of a layer's experts as functions (eqs. 3-6): hand it to the
// layer's forward pass, then call Finish once. For each weighting w:
//   jacobian_norm/w [E]       Frobenius norm of the averaged Jacobian
//   jacobian_cosine/w [E, E]  sim(e, e') of eq. 6
// and, where the layer has a shared expert and w is `all`:
//   shared/jacobian_norm/all [], shared/jacobian_cosine/all [E]
// With spectra, r = min(top, d, f) singular values of each average beside them:
//   jacobian_mean_singular_values/w [E, r], shared/... [r]
// An expert without a counted token is NaN, with a warning.
class JacobianProbe final : public ActivationProbe {
 public:
  // `tensors` must outlive the probe. `routing`: what `routed` and `gate` mean,
  // be it that of the forward pass or another one: an expert also runs on those
  // of its tokens that the forward pass does not route to it. `counted` [T]
  // bool: tokens that count.
  JacobianProbe(const LayerTensors& tensors, std::vector<Weighting> weightings,
                const Routing& routing, const at::Tensor& counted);

  ExpertRun Plan(int64_t expert, const ExpertTokens& routed) override;
  std::optional<ExpertRun> PlanOthers(int64_t expert,
                                      const ExpertTokens& routed) override;

  // `spectra`: whose `top` counts; nullopt: no singular values. `seed`: of the
  // start of their iteration.
  ProbeResult Finish(const std::optional<SpectraOptions>& spectra,
                     int64_t seed) const;

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
  bool IsShared(int64_t expert) const;
  const GatedMlpTensors& Weights(int64_t expert) const;
  void AddSums(int64_t expert, const at::Tensor& routed,
               const at::Tensor& gates, ExpertRun& run);
  Averages AveragesOf(size_t w, ProbeResult& result) const;
  void AddAlignment(const Averages& averages, ProbeResult& result) const;
  void AddSpectra(const Averages& averages, int64_t top, int64_t seed,
                  ProbeResult& result) const;

  const LayerTensors& tensors_;
  std::vector<Weighting> weightings_;
  at::Tensor counted_;  // [T] float32: 1 or 0
  at::Tensor routed_;   // [E, T] float32: 1 or 0
  at::Tensor gates_;    // [E, T] float32
  int64_t expert_count_;
  std::vector<ActivationSums> sums_;       // by expert, the shared one last
  std::vector<at::Tensor> weight_totals_;  // by expert: [weightings] float64
};

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_PROBE_JACOBIAN_PROBE_H_
