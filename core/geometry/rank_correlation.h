#ifndef MOEPROBE_CORE_GEOMETRY_RANK_CORRELATION_H_
#define MOEPROBE_CORE_GEOMETRY_RANK_CORRELATION_H_

#include <span>
#include <vector>

namespace moeprobe {

// Returns the ranks of some numbers: 1 for the smallest; equal ones share the
// mean of theirs. NaN has the rank NaN and takes none from the others.
std::vector<double> MidRanks(std::span<const double> numbers);

// Returns Spearman's rank correlation of two lists of equal length, in [-1, 1]:
// the correlation of their MidRanks, over the places where neither is NaN. NaN
// where fewer than three are left or either list is constant there.
double RankCorrelation(std::span<const double> a, std::span<const double> b);

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_GEOMETRY_RANK_CORRELATION_H_
