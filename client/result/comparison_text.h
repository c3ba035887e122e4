#ifndef MOEPROBE_CLIENT_RESULT_COMPARISON_TEXT_H_
#define MOEPROBE_CLIENT_RESULT_COMPARISON_TEXT_H_

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "client/result/comparison.h"

namespace moeprobe {

// Returns compared means as a table: a row for each layer under the name of its
// quantity, with both means, their difference b - a, its interval and p. No
// line wider than `width` where that can be had.
std::string ComparisonTable(const std::vector<ComparedMeans>& means, int width);

// Returns them as JSON, one object each.
nlohmann::ordered_json ComparisonJson(const std::vector<ComparedMeans>& means);

// Returns them as CSV (RFC 4180, lines end in \n), one line each.
std::string ComparisonCsv(const std::vector<ComparedMeans>& means);

}  // namespace moeprobe

#endif  // MOEPROBE_CLIENT_RESULT_COMPARISON_TEXT_H_
