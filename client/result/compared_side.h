#ifndef MOEPROBE_CLIENT_RESULT_COMPARED_SIDE_H_
#define MOEPROBE_CLIENT_RESULT_COMPARED_SIDE_H_

#include <optional>
#include <string>

#include "absl/status/statusor.h"

namespace moeprobe {

// One side of a comparison: a job, or a part of it, or a layer.
struct ComparedSide {
  std::string job;  // "17" or "jobs/17", not checked
  std::optional<std::string> part =
      {};                         // "model", "data1/baseline"; nullopt: all
  std::optional<int> layer = {};  // nullopt: all
};

// Reads JOB, JOB:PART, JOB@LAYER or JOB:PART@LAYER. InvalidArgument for
// anything else.
absl::StatusOr<ComparedSide> ParseComparedSide(const std::string& text);

}  // namespace moeprobe

#endif  // MOEPROBE_CLIENT_RESULT_COMPARED_SIDE_H_
