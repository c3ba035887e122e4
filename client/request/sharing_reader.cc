#include "client/request/sharing_reader.h"

#include <algorithm>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "client/request/message_fields.h"
#include "client/request/value.h"
#include "core/base/quoted.h"
#include "core/base/status_macros.h"
#include "moeprobe/v1/job.pb.h"

namespace moeprobe {
namespace {

absl::Status ReadReaders(const Value& value, v1::Job& job) {
  MOEPROBE_ASSIGN_OR_RETURN(const std::vector<Value> items, value.Items());
  for (const Value& item : items) {
    MOEPROBE_ASSIGN_OR_RETURN(const std::string name, item.Text());
    if (std::ranges::find(job.shared_with(), name) != job.shared_with().end()) {
      return item.Error(
          absl::StrCat("found ", Quoted(name), " twice, expected it once"));
    }
    job.add_shared_with(name);
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status ReadSharing(const Value& root, v1::Job& job) {
  for (const Value& visibility : root.Find("visibility")) {
    MOEPROBE_RETURN_IF_ERROR(ChoiceField("visibility", job).read(visibility));
  }
  for (const Value& readers : root.Find("shared_with")) {
    MOEPROBE_RETURN_IF_ERROR(ReadReaders(readers, job));
  }
  return absl::OkStatus();
}

}  // namespace moeprobe
