#include "client/request/data_source.h"

#include <google/protobuf/message.h>

#include <algorithm>
#include <iterator>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "client/request/message_fields.h"
#include "client/request/value.h"
#include "client/request/yaml_tree.h"
#include "core/base/status_macros.h"

namespace moeprobe {
namespace {

// A shell would expand these; a YAML file is not read by one.
absl::Status CheckPath(const Value& value) {
  const std::string& path = value.node().text;
  for (const char* prefix : {"~", "$", "file://"}) {
    if (absl::StartsWith(path, prefix)) {
      return value.Error(absl::StrCat("\"", prefix, "\" is not expanded in \"",
                                      path,
                                      "\"; write the whole path, or one "
                                      "relative to this file"));
    }
  }
  return absl::OkStatus();
}

}  // namespace

Field SourceField(const std::string& key, google::protobuf::Message& data) {
  const Field text = TextField(key, data);
  return {key, [text](const Value& value) {
            MOEPROBE_RETURN_IF_ERROR(text.read(value));
            return CheckPath(value);
          }};
}

absl::Status CheckOneSource(const Value& data,
                            const std::vector<std::string>& keys) {
  std::vector<std::string> found;
  std::ranges::copy_if(
      keys, std::back_inserter(found),
      [&](const std::string& key) { return !data.Find(key).empty(); });
  if (found.size() == 1) return absl::OkStatus();
  return data.Error(
      absl::StrCat(found.empty() ? "found neither " : "found both ",
                   found.empty() ? absl::StrJoin(keys, " nor ")
                                 : absl::StrJoin(found, " and "),
                   ", expected one of them"));
}

}  // namespace moeprobe
