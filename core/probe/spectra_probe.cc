#include "core/probe/spectra_probe.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/full.h>
#include <c10/core/ScalarType.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <limits>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/checkpoint/checkpoint.h"
#include "core/geometry/leading_singular_values.h"
#include "core/geometry/spectral_decay.h"
#include "core/model/router.h"
#include "core/probe/probe_options.h"
#include "core/probe/probe_result.h"
#include "core/probe/probed_layer.h"
#include "core/probe/token_bootstrap.h"
#include "core/probe/token_sample.h"
#include "core/probe/token_spectra.h"
#include "core/tensor/tensor_array.h"

namespace moeprobe {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

at::Tensor StableRanks(const JacobianSpectra& spectra) {
  return spectra.norm_squared / spectra.values.select(1, 0).square();
}

// What is said of `count` experts; NaN until it is set.
struct SpectrumTable {
  SpectrumTable(int64_t count, int64_t ranks)
      : mean(at::full({count, ranks}, kNaN, at::kDouble)),
        deviation(at::full({count, ranks}, kNaN, at::kDouble)),
        error(at::full({count}, kNaN, at::kDouble)),
        stable_rank(at::full({count}, kNaN, at::kDouble)),
        decay(at::full({count}, kNaN, at::kDouble)),
        norm_squared(at::full({count}, kNaN, at::kDouble)) {}

  void Set(int64_t expert, const JacobianSpectra& spectra) const {
    mean[expert].copy_(spectra.values.mean(0));
    deviation[expert].copy_(spectra.values.std(0, /*unbiased=*/false));
    error[expert].copy_(spectra.error.max());
    stable_rank[expert].copy_(StableRanks(spectra).mean());
    decay[expert].copy_(SpectralDecay(spectra.values).mean());
    norm_squared[expert].copy_(spectra.norm_squared.mean());
  }

  at::Tensor mean, deviation;                          // [count, r]
  at::Tensor error, stable_rank, decay, norm_squared;  // [count]
};

// Publishes a row of the table, or all of it.
template <typename Part>
void Publish(const std::string& prefix, const SpectrumTable& table,
             const Part& part, ProbeResult& result) {
  const auto add = [&](const char* name, const at::Tensor& value) {
    result.arrays.push_back({.name = prefix + name,
                             .probe = "spectra",
                             .array = ToArray(part(value))});
  };
  add("singular_values_mean", table.mean);
  add("singular_values_std", table.deviation);
  add("singular_values_error", table.error);
  add("leading_singular_value", table.mean.select(1, 0));
  add("stable_rank", table.stable_rank);
  add("singular_value_decay", table.decay);
  add("jacobian_norm_squared_mean", table.norm_squared);
}

// Quantities with a printed mean at the tokens each expert was sampled at.
struct SampledValues {
  void Add(const at::Tensor& tokens, const JacobianSpectra& spectra) {
    leading.push_back(
        {.tokens = tokens, .values = spectra.values.select(1, 0)});
    stable_rank.push_back({.tokens = tokens, .values = StableRanks(spectra)});
    decay.push_back(
        {.tokens = tokens, .values = SpectralDecay(spectra.values)});
  }

  std::vector<TokenValues> leading, stable_rank, decay;
};

void AddIntervals(const SampledValues& sampled, const TokenBootstrap& bootstrap,
                  ProbeResult& result) {
  constexpr const char* kGroup = "nulls/spectra";
  bootstrap.Add("leading_singular_value", kGroup, sampled.leading, result);
  bootstrap.Add("stable_rank", kGroup, sampled.stable_rank, result);
  bootstrap.Add("singular_value_decay", kGroup, sampled.decay, result);
}

std::string NameOfExpert(int64_t expert, int64_t expert_count) {
  return expert == expert_count ? "shared expert"
                                : absl::StrCat("expert ", expert);
}

// What a reader should know of an expert's spectra.
std::vector<std::string> Warnings(const std::string& expert,
                                  const JacobianSpectra& spectra) {
  std::vector<std::string> warnings;
  const auto zeros = spectra.norm_squared.eq(0).sum().item<int64_t>();
  if (zeros > 0) {
    warnings.push_back(absl::StrCat(expert, ": its Jacobian is zero at ", zeros,
                                    " of ", spectra.norm_squared.size(0),
                                    " tokens; its stable rank is NaN"));
  }
  const auto deficient =
      SpectralDecay(spectra.values).isnan().sum().item<int64_t>();
  if (deficient > 0) {
    warnings.push_back(absl::StrCat(
        expert, ": no line through ", spectra.values.size(1),
        " singular values that are not zero at ", deficient, " of ",
        spectra.values.size(0), " tokens; its decay is NaN"));
  }
  const auto error = spectra.error.max().item<double>();
  if (error > kSingularValueTolerance) {
    warnings.push_back(
        absl::StrCat(expert, ": singular values have converged to ", error,
                     " only, relative (singular_values_error)"));
  }
  return warnings;
}

// The layer's experts in order, the shared one last.
std::vector<const MlpTensors*> ExpertsOf(const LayerTensors& tensors) {
  if (tensors.dense) return {&*tensors.dense};
  std::vector<const MlpTensors*> experts;
  experts.reserve(tensors.experts.size() + 1);
  for (const MlpTensors& expert : tensors.experts) {
    experts.push_back(&expert);
  }
  if (tensors.shared) experts.push_back(&*tensors.shared);
  return experts;
}

// The counted tokens of each expert, the shared one last.
std::vector<at::Tensor> CountedTokens(const ProbedLayer& layer) {
  std::vector<at::Tensor> tokens;
  for (const ExpertTokens& routed : GroupByExpert(layer.routing)) {
    tokens.push_back(Counted(routed, layer.counted).tokens);
  }
  if (layer.tensors.shared) {
    tokens.push_back(layer.counted.nonzero().flatten());
  }
  return tokens;
}

at::Tensor Sample(const at::Tensor& tokens, const SpectraOptions& options,
                  int64_t seed) {
  if (options.tokens_per_expert == kAllTokens) return tokens;
  return SampleTokens(tokens, options.tokens_per_expert, seed);
}

}  // namespace

absl::StatusOr<ProbeResult> TokenSpectra(const ProbedLayer& layer,
                                         const SpectraOptions& options,
                                         int64_t seed,
                                         const TokenBootstrap& bootstrap,
                                         const ShareReport& report) {
  const std::vector<const MlpTensors*> experts = ExpertsOf(layer.tensors);
  const std::vector<at::Tensor> tokens = CountedTokens(layer);
  const bool has_shared = layer.tensors.shared.has_value();
  const auto expert_count =
      static_cast<int64_t>(experts.size()) - (has_shared ? 1 : 0);
  const SpectrumTable routed(expert_count,
                             SpectrumLength(*experts[0], options.top));
  const SpectrumTable shared(1, SpectrumLength(*experts.back(), options.top));

  ProbeResult result;
  SampledValues sampled;
  for (size_t e = 0; e < experts.size(); ++e) {
    MOEPROBE_RETURN_IF_ERROR(
        report(static_cast<double>(e) / static_cast<double>(experts.size())));
    const auto index = static_cast<int64_t>(e);
    const std::string name = NameOfExpert(index, expert_count);
    const at::Tensor sample = Sample(tokens[e], options, seed);
    if (sample.size(0) == 0) {
      result.warnings.push_back(absl::StrCat(
          name, ": no token to take its Jacobian at; its spectra are NaN"));
      continue;
    }
    const JacobianSpectra spectra = SpectraAtTokens(
        *experts[e], layer.h.index_select(0, sample), options.top, seed);
    std::ranges::move(Warnings(name, spectra),
                      std::back_inserter(result.warnings));
    if (index < expert_count) {
      routed.Set(index, spectra);
      sampled.Add(sample, spectra);
    } else {
      shared.Set(0, spectra);
    }
  }
  Publish("", routed, [](const at::Tensor& t) { return t; }, result);
  if (has_shared) {
    Publish(
        "shared/", shared, [](const at::Tensor& t) { return t[0]; }, result);
  }
  AddIntervals(sampled, bootstrap, result);
  return result;
}

}  // namespace moeprobe
