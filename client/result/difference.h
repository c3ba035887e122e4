#ifndef MOEPROBE_CLIENT_RESULT_DIFFERENCE_H_
#define MOEPROBE_CLIENT_RESULT_DIFFERENCE_H_

#include <optional>
#include <vector>

namespace moeprobe {

// A mean and its bootstrap draws, those that are NaN included.
struct DrawnMean {
  double mean{};
  std::vector<double> draws;  // empty: not drawn
};

// The difference of two means, and how far it can be trusted.
struct Difference {
  double value{};  // b - a
  // Where both means have draws: the 95 % interval and a two-sided p.
  std::optional<double> low = {};
  std::optional<double> high = {};
  std::optional<double> p = {};
  bool paired = false;  // the draws resampled the same windows
};

// Returns b - a with the interval
//   value + [2.5 % quantile, 97.5 % quantile] of (difference of draws, centred)
// and p = 2 min(share of these <= 0, share >= 0), each share counted as (1 + #)
// of (1 + draws), at most 1.
//
// `same_windows` says that draw r of `a` and draw r of `b` resampled the same
// windows: their differences are then taken draw by draw. Otherwise, and where
// their numbers differ, a and b are independent and every draw of one is
// compared with every draw of the other.
Difference Subtract(const DrawnMean& a, const DrawnMean& b, bool same_windows);

}  // namespace moeprobe

#endif  // MOEPROBE_CLIENT_RESULT_DIFFERENCE_H_
