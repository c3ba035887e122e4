#include "server/violations.h"

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/base/printable.h"
#include "core/base/retry_delay.h"

namespace moeprobe {
namespace {

constexpr size_t kMaxCount = 100;

}  // namespace

void Violations::Add(const std::string& field, const std::string& description,
                     absl::StatusCode code) {
  Add({.field = field, .description = description, .code = code});
}

void Violations::Add(const std::string& field, const absl::Status& status) {
  Add({.field = field,
       .description = std::string(status.message()),
       .code = status.code(),
       .retry_delay = RetryDelayOf(status)});
}

void Violations::Add(Violation violation) {
  if (list_.size() == kMaxCount) return;
  violation.description = PrintableLine(violation.description);
  list_.push_back(std::move(violation));
}

absl::Status Violations::ToStatus() const {
  if (list_.empty()) return absl::OkStatus();
  const Violation* worst = &list_.front();
  std::vector<std::string> lines;
  for (const Violation& violation : list_) {
    if (violation.code == absl::StatusCode::kInvalidArgument) {
      worst = &violation;
    }
    lines.push_back(absl::StrCat(violation.field, ": ", violation.description));
  }
  absl::Status status(worst->code, absl::StrJoin(lines, "; "));
  if (!worst->retry_delay) return status;
  return WithRetryDelay(std::move(status), *worst->retry_delay);
}

}  // namespace moeprobe
