#include "client/commands/session.h"

#include <algorithm>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "core/base/quoted.h"

namespace moeprobe {
namespace {

constexpr const char* kPrefix = "jobs/";

}  // namespace

absl::StatusOr<std::string> JobName(const std::string& job) {
  const std::string id = JobId(job);
  const bool is_number =
      !id.empty() && id.size() < 20 && id[0] != '0' &&
      std::ranges::all_of(
          id,
          [](char c) {
            return absl::ascii_isdigit(static_cast<unsigned char>(c));
          });
  if (is_number) return absl::StrCat(kPrefix, id);
  return absl::InvalidArgumentError(absl::StrCat(
      "JOB: found ", Quoted(job), ", expected a number such as 17 or jobs/17"));
}

std::string JobId(const std::string& name) {
  return std::string(absl::StripPrefix(name, kPrefix));
}

}  // namespace moeprobe
