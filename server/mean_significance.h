#ifndef MOEPROBE_SERVER_MEAN_SIGNIFICANCE_H_
#define MOEPROBE_SERVER_MEAN_SIGNIFICANCE_H_

#include <optional>
#include <string>

#include "core/base/npy.h"
#include "moeprobe/v1/result.pb.h"

namespace moeprobe {

// Arrays that say how far another one's mean can be trusted: "{array}/se",
// "{array}/interval", "{array}/p" and so on.

// Returns the name of the array whose mean `name` is about, "grassmann/routed"
// for "grassmann/routed/interval"; nullopt where it is about none.
std::optional<std::string> ArrayOfMean(const std::string& name);

// Adds what the array `name` says to the row of that mean. Numbers that are
// not finite, and the draws, are left out.
void AddSignificance(const std::string& name, const Array& array,
                     v1::SummaryRow& row);

}  // namespace moeprobe

#endif  // MOEPROBE_SERVER_MEAN_SIGNIFICANCE_H_
