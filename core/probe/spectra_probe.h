#ifndef MOEPROBE_CORE_PROBE_SPECTRA_PROBE_H_
#define MOEPROBE_CORE_PROBE_SPECTRA_PROBE_H_

#include <cstdint>

#include "absl/status/statusor.h"
#include "core/probe/probe_options.h"
#include "core/probe/probe_result.h"
#include "core/probe/probed_layer.h"
#include "core/probe/token_bootstrap.h"

namespace moeprobe {

// How an expert stretches the surroundings of single tokens: singular values of
// its Jacobians J_e(x) (eq. 2) over a seeded sample of the counted tokens
// routed to it, r = min(top, d, f) of each:
//   singular_values_mean, singular_values_std [E, r]  by rank; population
//   singular_values_error [E]        largest estimated relative error; 0 where
//                                    whole Jacobians were decomposed
//   leading_singular_value [E]       mean of sigma_1
//   stable_rank [E]                  mean of |J|_F^2 / sigma_1^2
//   singular_value_decay [E]         mean of SpectralDecay over the r values
//   jacobian_norm_squared_mean [E]   mean of |J|_F^2
// and the same without E under shared/ where the layer has a shared expert,
// which every token is routed to. An expert without a token is NaN, with a
// warning; so are a stable rank where a Jacobian is zero and a decay where its
// rank is below r. Values that have not converged are there, with a warning.
//
// Where `bootstrap` draws, what TokenBootstrap adds for the printed means of
// leading_singular_value, stable_rank and singular_value_decay comes under
// probe group nulls/spectra; not for the shared expert.
absl::StatusOr<ProbeResult> TokenSpectra(const ProbedLayer& layer,
                                         const SpectraOptions& options,
                                         int64_t seed,
                                         const TokenBootstrap& bootstrap,
                                         const ShareReport& report);

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_PROBE_SPECTRA_PROBE_H_
