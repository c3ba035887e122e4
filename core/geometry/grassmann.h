#ifndef MOEPROBE_CORE_GEOMETRY_GRASSMANN_H_
#define MOEPROBE_CORE_GEOMETRY_GRASSMANN_H_

#include <Eigen/Core>
#include <optional>
#include <vector>

#include "absl/status/statusor.h"

namespace moeprobe {

// Distances between subspaces, and the angles they come from.
struct SubspaceDistances {
  Eigen::MatrixXd distance;  // [E, E]: symmetric, zero diagonal
  // Principal angles of each pair, ascending: row e * E + e', [E E, n].
  Eigen::MatrixXd angles;
};

// Returns the Grassmann geodesic distance (eq. 8)
//   d(Q_i, Q_j) = (sum over m of theta_m^2)^(1/2)
// between the spans of all pairs of `bases`, each [d, n] with orthonormal
// columns. An absent basis gives NaN in its row and column, also on the
// diagonal.
//
// Returns InvalidArgument if the bases that are there differ in shape.
absl::StatusOr<SubspaceDistances> GrassmannDistances(
    const std::vector<std::optional<Eigen::MatrixXd>>& bases);

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_GEOMETRY_GRASSMANN_H_
