#include "server/synthetic_resolution.h"

#include <cmath>
#include <cstdint>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "moeprobe/v1/training.pb.h"
#include "server/choice.h"
#include "server/number_range.h"
#include "server/violations.h"

namespace moeprobe {
namespace {

constexpr const char* kField = "data.synthetic";
constexpr int64_t kMostExamples = int64_t{1} << 20;

void CheckNumbers(const v1::SyntheticData& data, Violations& violations) {
  CheckRanges(
      kField,
      {{.field = "examples",
        .value = data.examples(),
        .least = 2,
        .most = kMostExamples},
       {.field = "clusters",
        .value = data.clusters(),
        .least = 1,
        .most = 1024},
       {.field = "teacher_width",
        .value = data.teacher_width(),
        .least = 1,
        .most = 4096},
       {.field = "outputs", .value = data.outputs(), .least = 1, .most = 4096},
       {.field = "seed",
        .value = data.seed(),
        .least = 0,
        .most = int64_t{1} << 62}},
      violations);
  for (const auto& [name, value] :
       {std::pair("separation", data.separation()), {"noise", data.noise()}}) {
    if (value >= 0 && std::isfinite(value)) continue;
    violations.Add(absl::StrCat(kField, ".", name),
                   absl::StrCat(value, ", expected a number of at least 0"));
  }
}

void CheckObjective(const v1::SyntheticData& data, Violations& violations) {
  CheckChoice(data.teacher(), absl::StrCat(kField, ".teacher"), violations);
  CheckChoice(data.objective(), absl::StrCat(kField, ".objective"), violations);
  if (data.objective() == v1::LEARNING_OBJECTIVE_CLASSIFICATION &&
      data.outputs() == 1) {
    violations.Add(absl::StrCat(kField, ".outputs"),
                   "1, expected at least 2 classes to tell apart");
  }
}

}  // namespace

v1::SyntheticData ResolveSynthetic(const v1::SyntheticData& asked,
                                   Violations& violations) {
  v1::SyntheticData data = asked;
  if (!asked.has_examples()) data.set_examples(16384);
  if (!asked.has_clusters()) data.set_clusters(8);
  if (!asked.has_separation()) data.set_separation(1);
  if (asked.teacher() == v1::SYNTHETIC_TEACHER_UNSPECIFIED) {
    data.set_teacher(v1::SYNTHETIC_TEACHER_PER_CLUSTER);
  }
  if (!asked.has_teacher_width()) data.set_teacher_width(64);
  if (asked.objective() == v1::LEARNING_OBJECTIVE_UNSPECIFIED) {
    data.set_objective(v1::LEARNING_OBJECTIVE_REGRESSION);
  }
  if (!asked.has_outputs()) data.set_outputs(16);
  data.set_noise(asked.noise());
  data.set_seed(asked.seed());
  CheckNumbers(data, violations);
  CheckObjective(data, violations);
  return data;
}

}  // namespace moeprobe
