#ifndef MOEPROBE_CLIENT_RESULT_SPECIFICATION_TEXT_H_
#define MOEPROBE_CLIENT_RESULT_SPECIFICATION_TEXT_H_

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "client/result/specification_curve.h"

namespace moeprobe {

// Returns specification curves as tables, each outcome's z as a point on a line
// that all outcomes of the claim share, and under each how many of them are
// above their null. No line wider than `width` where that can be had.
std::string SpecificationText(const std::vector<SpecificationCurve>& curves,
                              int width);

// Returns them as a list of claims.
nlohmann::ordered_json SpecificationJson(
    const std::vector<SpecificationCurve>& curves);

// Returns them as CSV (RFC 4180, lines end in \n), one line an outcome.
std::string SpecificationCsv(const std::vector<SpecificationCurve>& curves);

}  // namespace moeprobe

#endif  // MOEPROBE_CLIENT_RESULT_SPECIFICATION_TEXT_H_
