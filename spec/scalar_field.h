#ifndef MOEPROBE_SPEC_SCALAR_FIELD_H_
#define MOEPROBE_SPEC_SCALAR_FIELD_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "moeprobe/v1/analysis.pb.h"

namespace moeprobe {

// Returns the fields of a request that a sweep can vary, by their paths in a
// request file: every number and every choice, such as "routing.temperature",
// "probes.pca.components" or "data.tokens"; not where to compute, and none that
// is a list or a text.
std::vector<std::string> SweepableFields();

// Sets the field at `path`, one of SweepableFields(), to what a request file
// says of it: "0.25", "top_k", "all". A path into `data` needs one data set.
//
// Returns `text` as the field holds it: "0.5" for "5e-1". InvalidArgument
// "found ..., expected ..." for a text that is no value of the field, or where
// there is no such field; whether the value makes sense is not looked at.
absl::StatusOr<std::string> SetField(const std::string& path,
                                     const std::string& text,
                                     v1::AnalyzeSpec& spec);

}  // namespace moeprobe

#endif  // MOEPROBE_SPEC_SCALAR_FIELD_H_
