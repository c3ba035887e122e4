#include "core/geometry/grassmann.h"

#include <Eigen/Core>
#include <limits>
#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "core/base/status_macros.h"
#include "core/geometry/principal_angles.h"

namespace moeprobe {
namespace {

Eigen::Index SubspaceSize(
    const std::vector<std::optional<Eigen::MatrixXd>>& bases) {
  for (const auto& basis : bases) {
    if (basis.has_value()) return basis->cols();
  }
  return 0;
}

}  // namespace

absl::StatusOr<SubspaceDistances> GrassmannDistances(
    const std::vector<std::optional<Eigen::MatrixXd>>& bases) {
  const auto count = static_cast<Eigen::Index>(bases.size());
  const double nan = std::numeric_limits<double>::quiet_NaN();
  SubspaceDistances result{
      .distance = Eigen::MatrixXd::Constant(count, count, nan),
      .angles =
          Eigen::MatrixXd::Constant(count * count, SubspaceSize(bases), nan)};
  for (Eigen::Index i = 0; i < count; ++i) {
    if (!bases[i].has_value()) continue;
    result.distance(i, i) = 0;
    result.angles.row(i * count + i).setZero();
    for (Eigen::Index j = i + 1; j < count; ++j) {
      if (!bases[j].has_value()) continue;
      MOEPROBE_ASSIGN_OR_RETURN(const Eigen::VectorXd angles,
                                PrincipalAngles(*bases[i], *bases[j]));
      result.distance(i, j) = result.distance(j, i) = angles.norm();
      result.angles.row(i * count + j) = angles;
      result.angles.row(j * count + i) = angles;
    }
  }
  return result;
}

}  // namespace moeprobe
