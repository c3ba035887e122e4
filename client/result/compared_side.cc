#include "client/result/compared_side.h"

#include <cstddef>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "core/base/quoted.h"

namespace moeprobe {
namespace {

absl::Status Unreadable(const std::string& text) {
  return absl::InvalidArgumentError(
      absl::StrCat("found ", Quoted(text),
                   ", expected a job such as 17, a part of it such as "
                   "17:data1/baseline, or a layer such as 17@3 or "
                   "17:baseline@3"));
}

// Whether there is something, and no second sign that divides.
bool IsPlain(const std::string& name) {
  return !name.empty() && name.find_first_of(":@") == std::string::npos;
}

}  // namespace

absl::StatusOr<ComparedSide> ParseComparedSide(const std::string& text) {
  ComparedSide side{.job = text};
  const size_t at = side.job.rfind('@');
  if (at != std::string::npos) {
    int layer = 0;
    if (!absl::SimpleAtoi(side.job.substr(at + 1), &layer) || layer < 0) {
      return Unreadable(text);
    }
    side.layer = layer;
    side.job.resize(at);
  }
  const size_t colon = side.job.find(':');
  if (colon != std::string::npos) {
    side.part = side.job.substr(colon + 1);
    side.job.resize(colon);
    if (!IsPlain(*side.part)) return Unreadable(text);
  }
  if (!IsPlain(side.job)) return Unreadable(text);
  return side;
}

}  // namespace moeprobe
