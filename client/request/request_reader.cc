#include "client/request/request_reader.h"

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "client/request/analyze_reader.h"
#include "client/request/message_fields.h"
#include "client/request/sharing_reader.h"
#include "client/request/source_text.h"
#include "client/request/train_reader.h"
#include "client/request/value.h"
#include "client/request/yaml_tree.h"
#include "core/base/status_macros.h"
#include "moeprobe/v1/job.pb.h"

namespace moeprobe {
namespace {

absl::Status ReadSpec(const Value& root, v1::Job& job) {
  const std::vector<Value> kind = root.Find("kind");
  if (kind.empty() || kind[0].Is("analyze")) {
    return ReadAnalyzeSpec(root, *job.mutable_analyze());
  }
  if (kind[0].Is("train")) return ReadTrainSpec(root, *job.mutable_train());
  return kind[0].Expected("analyze or train");
}

// Takes the first step off "[0].tokens" or "tokens[0]", if `node` has it: the
// index of an entry, or a key, which may itself hold dots.
const YamlNode* Child(const YamlNode& node, std::string_view& path) {
  if (path.starts_with('[')) {
    const size_t end = std::min(path.find(']'), path.size());
    size_t index = 0;
    if (!absl::SimpleAtoi(std::string(path.substr(1, end - 1)), &index)) {
      return nullptr;
    }
    path.remove_prefix(std::min(end + 1, path.size()));
    // One data set may stand without a list.
    if (node.kind != YamlNode::Kind::kList) {
      return index == 0 ? &node : nullptr;
    }
    return index < node.children.size() ? &node.children[index] : nullptr;
  }
  if (path.starts_with('.')) path.remove_prefix(1);
  for (const YamlNode& child : node.children) {
    const std::string_view rest =
        path.substr(std::min(child.key.size(), path.size()));
    const bool ends_there =
        rest.empty() || rest.starts_with('.') || rest.starts_with('[');
    if (!path.starts_with(child.key) || !ends_there) continue;
    path = rest;
    return &child;
  }
  return nullptr;
}

}  // namespace

absl::Status Request::ErrorAt(const std::string& path,
                              const std::string& what) const {
  const YamlNode* nearest = &tree;
  for (std::string_view rest = path; !rest.empty();) {
    const YamlNode* child = Child(*nearest, rest);
    if (child == nullptr) break;
    nearest = child;
  }
  return source.Error(nearest->offset, absl::StrCat(path, ": ", what));
}

absl::StatusOr<Request> ReadRequest(const std::string& text,
                                    const std::string& file) {
  MOEPROBE_ASSIGN_OR_RETURN(SourceText source, SourceText::Create(text, file));
  MOEPROBE_ASSIGN_OR_RETURN(YamlNode tree, ParseYaml(source, "a request"));
  v1::Job job;
  const Value root(tree, "", source);
  MOEPROBE_RETURN_IF_ERROR(ReadSpec(root, job));
  MOEPROBE_RETURN_IF_ERROR(ReadSharing(root, job));
  for (const Value& priority : root.Find("priority")) {
    MOEPROBE_RETURN_IF_ERROR(ChoiceField("priority", job).read(priority));
  }
  return Request{.job = std::move(job),
                 .source = std::move(source),
                 .tree = std::move(tree)};
}

}  // namespace moeprobe
