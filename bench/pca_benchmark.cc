#include "bench/pca_benchmark.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/stack.h>
#include <c10/core/ScalarType.h>

#include <Eigen/Core>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "bench/array_file.h"
#include "bench/figure.h"
#include "bench/repeated_runs.h"
#include "core/base/status_macros.h"
#include "core/geometry/grassmann.h"
#include "core/geometry/principal_components.h"
#include "core/probe/routed_rows.h"
#include "core/tensor/concurrent_loop.h"

namespace moeprobe {
namespace {

// [E, tokens, d]: directions whose scale falls by a factor e every d / 8.
at::Tensor RandomTokens(const PcaBenchmarkOptions& options) {
  const int64_t width = options.width;
  const at::Tensor decay =
      (at::arange(width, at::kFloat) * (-8.0 / static_cast<double>(width)))
          .exp();
  const at::Tensor base = at::randn({width, width}) * decay;
  const at::Tensor tokens =
      at::empty({options.expert_count, options.token_count, width});
  for (int64_t e = 0; e < options.expert_count; ++e) {
    tokens[e].copy_(at::randn({options.token_count, width}).mm(base));
  }
  return tokens;
}

Eigen::MatrixXd ToEigen(const at::Tensor& basis) {
  // Eigen is column-major: its columns are the rows of the transpose.
  const at::Tensor columns = basis.t().contiguous();
  return Eigen::Map<const Eigen::MatrixXd>(columns.const_data_ptr<double>(),
                                           basis.size(0), basis.size(1));
}

struct Subspaces {
  std::vector<at::Tensor> eigenvalues;  // by expert: [d]
  SubspaceDistances distances = {};
};

absl::StatusOr<Subspaces> FindSubspaces(const at::Tensor& tokens,
                                        int64_t components) {
  const auto count = static_cast<size_t>(tokens.size(0));
  Subspaces result{.eigenvalues = std::vector<at::Tensor>(count)};
  std::vector<std::optional<Eigen::MatrixXd>> bases(count);
  ConcurrentLoop(
      tokens.size(0), PrincipalComponentsBytes(tokens.size(1), tokens.size(2)),
      [&](int64_t e) {
        const auto index = static_cast<size_t>(e);
        const PrincipalComponents pca =
            FindPrincipalComponents(ReferenceRows(tokens[e]), components);
        result.eigenvalues[index] = pca.eigenvalues;
        bases[index] = ToEigen(pca.basis);
      });
  MOEPROBE_ASSIGN_OR_RETURN(result.distances, GrassmannDistances(bases));
  return result;
}

absl::Status Dump(const at::Tensor& tokens, Subspaces subspaces,
                  const std::filesystem::path& directory) {
  Eigen::MatrixXd& distance = subspaces.distances.distance;  // symmetric
  MOEPROBE_RETURN_IF_ERROR(WriteArray(directory / "h.npy", tokens));
  MOEPROBE_RETURN_IF_ERROR(WriteArray(directory / "eigenvalues.npy",
                                      at::stack(subspaces.eigenvalues)));
  return WriteArray(
      directory / "grassmann.npy",
      at::from_blob(distance.data(), {distance.rows(), distance.cols()},
                    at::dtype(at::kDouble)));
}

}  // namespace

absl::StatusOr<Figure> PcaBenchmark(const PcaBenchmarkOptions& options) {
  const at::Tensor tokens = RandomTokens(options);
  absl::StatusOr<Subspaces> subspaces;
  const double seconds = MedianSeconds(options.repetitions, [&] {
    subspaces = FindSubspaces(tokens, options.components);
  });
  MOEPROBE_RETURN_IF_ERROR(subspaces.status());
  if (!options.dump_directory.empty()) {
    MOEPROBE_RETURN_IF_ERROR(
        Dump(tokens, *std::move(subspaces), options.dump_directory));
  }
  return Figure{{"benchmark", "pca"},
                {"experts", options.expert_count},
                {"width", options.width},
                {"tokens", options.token_count},
                {"seconds", seconds}};
}

}  // namespace moeprobe
