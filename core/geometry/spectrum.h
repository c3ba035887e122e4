#ifndef MOEPROBE_CORE_GEOMETRY_SPECTRUM_H_
#define MOEPROBE_CORE_GEOMETRY_SPECTRUM_H_

#include <array>
#include <cstdint>
#include <span>

namespace moeprobe {

// What one says about the eigenvalues of a covariance matrix. In all of these
// `eigenvalues` are descending and not negative, and p = lambda / sum(lambda).
// Where all of them are zero there is no p: the result is NaN, or 0 for counts.

// exp(-sum p ln p): how many equal eigenvalues would have the same entropy.
double EffectiveRank(std::span<const double> eigenvalues);

// (sum lambda)^2 / sum lambda^2.
double ParticipationRatio(std::span<const double> eigenvalues);

// (lambda_n - lambda_{n+1}) / lambda_1: without a gap, a subspace of size n is
// noise. `n` in [1, size]; behind the last eigenvalue comes 0.
double Eigengap(std::span<const double> eigenvalues, int64_t n);

// Fewest leading eigenvalues that carry 50, 80, 90 and 95 % of the sum.
std::array<int64_t, 4> ComponentCounts(std::span<const double> eigenvalues);

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_GEOMETRY_SPECTRUM_H_
