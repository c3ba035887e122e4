#include "client/request/job_spec.h"

#include <cstdint>
#include <string>

#include "absl/strings/str_cat.h"
#include "moeprobe/v1/analysis.pb.h"
#include "moeprobe/v1/job.pb.h"

namespace moeprobe {
namespace {

std::string Count(int count, const char* noun) {
  return absl::StrCat(count, " ", noun, count == 1 ? "" : "s");
}

}  // namespace

const std::string& LabelOf(const v1::Job& job) {
  return job.has_train() ? job.train().name() : job.analyze().name();
}

std::string SubjectOf(const v1::Job& job) {
  if (!job.has_train()) return job.analyze().model();
  return absl::StrCat(Count(job.train().variants_size(), "variant"), " x ",
                      Count(job.train().seeds_size(), "seed"));
}

const v1::NullSpec& NullsOf(const v1::Job& job) {
  return job.has_train() ? job.train().probe().nulls() : job.analyze().nulls();
}

int64_t SeedOf(const v1::Job& job) {
  return job.has_train() ? job.train().probe().seed() : job.analyze().seed();
}

}  // namespace moeprobe
