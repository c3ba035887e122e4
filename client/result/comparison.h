#ifndef MOEPROBE_CLIENT_RESULT_COMPARISON_H_
#define MOEPROBE_CLIENT_RESULT_COMPARISON_H_

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "client/result/difference.h"
#include "moeprobe/v1/result.pb.h"
#include "moeprobe/v1/result_service.pb.h"

namespace moeprobe {

// What is compared: (part of) a result and the draws of its means.
struct ComparedResult {
  v1::Result result;
  std::optional<std::string> part = {};  // as PartName has it; nullopt: all
  std::optional<int> layer = {};         // nullopt: all
  // By name: "data0/layer3/grassmann/routed/bootstrap_draws".
  std::map<std::string, std::vector<double>> draws = {};
};

// The arrays of a result that ComparedResult::draws holds.
std::vector<v1::ArrayInfo> ArraysOfDraws(const v1::Result& result);

// Two means of the same quantity.
struct ComparedMeans {
  v1::SummaryRow a;
  v1::SummaryRow b;
  Difference difference;  // b - a
};

// Returns every quantity that both sides have, in the order of `a`.
//
// Parts are those of the same name, or the one that either side names; layers
// are those at equal depth, the same ones where models are equally deep, or the
// one that either side names. Draws are paired where both sides have the same
// windows, seed and number of draws.
//
// Returns InvalidArgument if only one side names a part or a layer, or if both
// sides have nothing in common.
absl::StatusOr<std::vector<ComparedMeans>> CompareResults(
    const ComparedResult& a, const ComparedResult& b);

}  // namespace moeprobe

#endif  // MOEPROBE_CLIENT_RESULT_COMPARISON_H_
