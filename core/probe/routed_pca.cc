#include "core/probe/routed_pca.h"

#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/full.h>
#include <ATen/ops/ones.h>
#include <c10/core/ScalarType.h>

#include <Eigen/Core>
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/geometry/grassmann.h"
#include "core/geometry/principal_components.h"
#include "core/geometry/spectrum.h"
#include "core/model/router.h"
#include "core/probe/probe_options.h"
#include "core/probe/probe_result.h"
#include "core/probe/routed_rows.h"
#include "core/tensor/concurrent_loop.h"
#include "core/tensor/tensor_array.h"

namespace moeprobe {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

// Relative error of hidden states in float32.
constexpr double kRounding = 1e-6;

// The PCA of each expert that has one.
using ExpertComponents = std::vector<std::optional<PrincipalComponents>>;

// Where the arrays of one convention go.
struct Destination {
  std::string prefix;  // "pca/routed"
  std::string probe;
  ProbeResult* result;

  void Add(const std::string& name, const at::Tensor& value) const {
    result->arrays.push_back(
        {.name = name, .probe = probe, .array = ToArray(value)});
  }
};

std::span<const double> Values(const at::Tensor& tensor) {
  return {tensor.const_data_ptr<double>(), static_cast<size_t>(tensor.numel())};
}

// Eigenvalues and what one says about them.
ExactPca AddSpectra(const ExpertComponents& experts, int64_t width, int64_t n,
                    const Destination& to) {
  const auto count = static_cast<int64_t>(experts.size());
  const at::Tensor eigenvalues = at::full({count, width}, kNaN, at::kDouble);
  const at::Tensor rank = at::full({count}, kNaN, at::kDouble);
  const at::Tensor ratio = at::full({count}, kNaN, at::kDouble);
  const at::Tensor gap = at::full({count}, kNaN, at::kDouble);
  const at::Tensor components = at::full({count, 4}, -1, at::kLong);
  for (int64_t e = 0; e < count; ++e) {
    const auto& expert = experts[static_cast<size_t>(e)];
    if (!expert.has_value()) continue;
    eigenvalues[e].copy_(expert->eigenvalues);
    const std::span<const double> values = Values(expert->eigenvalues);
    rank[e] = EffectiveRank(values);
    ratio[e] = ParticipationRatio(values);
    gap[e] = Eigengap(values, n);
    const std::array<int64_t, 4> counts = ComponentCounts(values);
    for (int64_t c = 0; c < 4; ++c) {
      components[e][c] = counts[static_cast<size_t>(c)];
    }
  }
  to.Add(to.prefix + "/eigenvalues", eigenvalues);
  to.Add(to.prefix + "/effective_rank", rank);
  to.Add(to.prefix + "/participation_ratio", ratio);
  to.Add(to.prefix + "/gap", gap);
  to.Add(to.prefix + "/components", components);
  return {.effective_rank = rank, .participation_ratio = ratio};
}

void AddBases(const ExpertComponents& experts, int64_t width, int64_t n,
              const Destination& to) {
  const auto count = static_cast<int64_t>(experts.size());
  const at::Tensor bases = at::full({count, width, n}, kNaN, at::kFloat);
  for (int64_t e = 0; e < count; ++e) {
    const auto& expert = experts[static_cast<size_t>(e)];
    if (expert.has_value()) bases[e].copy_(expert->basis);
  }
  to.Add(to.prefix + "/basis", bases);
}

std::optional<Eigen::MatrixXd> Basis(
    const std::optional<PrincipalComponents>& expert) {
  if (!expert.has_value()) return std::nullopt;
  // Eigen is column-major: its columns are the rows of the transpose.
  const at::Tensor transposed = expert->basis.t().contiguous();
  return Eigen::Map<const Eigen::MatrixXd>(transposed.const_data_ptr<double>(),
                                           transposed.size(1),
                                           transposed.size(0));
}

at::Tensor ToTensor(const Eigen::MatrixXd& matrix) {
  at::Tensor result = at::empty({matrix.cols(), matrix.rows()}, at::kDouble);
  Eigen::Map<Eigen::MatrixXd>(result.mutable_data_ptr<double>(), matrix.rows(),
                              matrix.cols()) = matrix;
  return result.t();
}

absl::StatusOr<at::Tensor> AddDistances(const ExpertComponents& experts,
                                        const std::string& convention,
                                        const PcaOptions& options,
                                        const Destination& to) {
  std::vector<std::optional<Eigen::MatrixXd>> bases;
  bases.reserve(experts.size());
  for (const auto& expert : experts) bases.push_back(Basis(expert));
  MOEPROBE_ASSIGN_OR_RETURN(const SubspaceDistances distances,
                            GrassmannDistances(bases));
  at::Tensor distance = ToTensor(distances.distance);
  to.Add("grassmann/" + convention, distance);
  if (options.angles) {
    const auto count = static_cast<int64_t>(experts.size());
    to.Add("principal_angles/" + convention,
           ToTensor(distances.angles)
               .reshape({count, count, distances.angles.cols()}));
  }
  return distance;
}

bool HasPca(const ExpertTokens& tokens, int64_t components) {
  return tokens.tokens.size(0) > components &&
         tokens.gates.sum().item<float>() > 0;
}

// Whether `rows` span so many directions, not counting what the rounding of
// float32 hidden states alone would span.
bool Span(const CentredRows& rows, const PrincipalComponents& found,
          int64_t components) {
  const at::Tensor norms = rows.h.norm(2, 1).to(at::kDouble).mul_(rows.scale);
  const auto mean_square = norms.square().sum().item<double>() / rows.divisor;
  return found.eigenvalues[components - 1].item<double>() >
         kRounding * kRounding * mean_square;
}

// Nothing where `rows` do not span so many directions.
std::optional<PrincipalComponents> ComponentsOf(const CentredRows& rows,
                                                int64_t components) {
  PrincipalComponents found = FindPrincipalComponents(rows, components);
  if (!Span(rows, found, components)) return std::nullopt;
  return found;
}

// The PCA of each expert that has one, several at once where they are small.
ExpertComponents FindComponents(const at::Tensor& h,
                                const std::vector<ExpertTokens>& groups,
                                int64_t token_count, Convention convention,
                                int64_t components) {
  int64_t most = 0;
  for (const ExpertTokens& group : groups) {
    most = std::max(most, group.tokens.size(0) + 1);
  }
  ExpertComponents experts(groups.size());
  ConcurrentLoop(static_cast<int64_t>(groups.size()),
                 PrincipalComponentsBytes(most, h.size(1)), [&](int64_t e) {
                   const auto index = static_cast<size_t>(e);
                   if (!HasPca(groups[index], components)) return;
                   experts[index] = ComponentsOf(
                       RoutedRows(h, groups[index], token_count, convention),
                       components);
                 });
  return experts;
}

void WarnOfMissing(const ExpertComponents& experts,
                   const std::vector<ExpertTokens>& groups,
                   const std::string& convention, int64_t components,
                   ProbeResult& result) {
  for (size_t e = 0; e < groups.size(); ++e) {
    if (experts[e].has_value()) continue;
    const std::string what =
        HasPca(groups[e], components)
            ? absl::StrCat("hidden states do not differ in ", components,
                           " directions by more than rounding")
            : absl::StrCat(groups[e].tokens.size(0),
                           " tokens routed to it, a PCA of ", components,
                           " components needs at least ", components + 1);
    result.warnings.push_back(absl::StrCat(
        "expert ", e, ": ", what, " (", convention, "); its results are NaN"));
  }
}

absl::StatusOr<ExactPca> AddConvention(const at::Tensor& h,
                                       const std::vector<ExpertTokens>& groups,
                                       int64_t token_count,
                                       Convention convention,
                                       const PcaOptions& options,
                                       ProbeResult& result) {
  const std::string name = NameOf(convention);
  const Destination to{
      .prefix = "pca/" + name, .probe = "pca/" + name, .result = &result};
  const ExpertComponents experts =
      FindComponents(h, groups, token_count, convention, options.components);
  WarnOfMissing(experts, groups, name, options.components, result);
  ExactPca exact = AddSpectra(experts, h.size(1), options.components, to);
  if (options.basis) AddBases(experts, h.size(1), options.components, to);
  MOEPROBE_ASSIGN_OR_RETURN(exact.distance,
                            AddDistances(experts, name, options, to));
  return exact;
}

}  // namespace

absl::StatusOr<PcaFindings> RoutedPca(const at::Tensor& h,
                                      const Routing& routing,
                                      const at::Tensor& counted,
                                      const PcaOptions& options) {
  if (options.components < 1 || options.components > h.size(1)) {
    return absl::InvalidArgumentError(
        absl::StrCat("pca.components: got ", options.components,
                     ", expected 1 to ", h.size(1), ", the model's width"));
  }
  std::vector<ExpertTokens> groups;
  for (const ExpertTokens& routed : GroupByExpert(routing)) {
    groups.push_back(Counted(routed, counted));
  }
  const at::Tensor index = counted.nonzero().flatten();

  PcaFindings found;
  for (const Convention convention : options.conventions) {
    MOEPROBE_ASSIGN_OR_RETURN(
        ExactPca exact, AddConvention(h, groups, index.size(0), convention,
                                      options, found.result));
    found.conventions.push_back(std::move(exact));
  }
  ExpertComponents reference(1);
  if (index.size(0) > options.components) {
    reference[0] = ComponentsOf(
        ReferenceRows(index.size(0) == h.size(0) ? h
                                                 : h.index_select(0, index)),
        options.components);
  }
  if (!reference[0].has_value()) {
    found.result.warnings.push_back(
        absl::StrCat("all tokens: no PCA of ", options.components,
                     " components; pca/all is NaN"));
  }
  found.reference = AddSpectra(
      reference, h.size(1), options.components,
      {.prefix = "pca/all", .probe = "pca/reference", .result = &found.result});
  return found;
}

}  // namespace moeprobe
