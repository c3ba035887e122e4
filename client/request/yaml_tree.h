#ifndef MOEPROBE_CLIENT_REQUEST_YAML_TREE_H_
#define MOEPROBE_CLIENT_REQUEST_YAML_TREE_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "client/request/source_text.h"

namespace moeprobe {

// A node of a YAML document that uses no more of YAML than a request needs.
struct YamlNode {
  enum class Kind : std::uint8_t { kNull, kPlain, kQuoted, kList, kMapping };

  Kind kind = Kind::kNull;
  size_t offset = 0;               // of its first byte
  std::string text;                // of a scalar, plain or quoted
  std::string key;                 // where it is the value of a mapping
  size_t key_offset = 0;           // of that key
  std::vector<YamlNode> children;  // of a list or a mapping, in file order
};

// Parses one document, of what is `expected`: "a request".
//
// Returns InvalidArgument, with line and column, if it is not YAML, is empty,
// or uses anchors, aliases, tags, merge keys, keys that are not text, the same
// key twice, several documents, more than 16 levels or 65,536 nodes.
absl::StatusOr<YamlNode> ParseYaml(const SourceText& source,
                                   const std::string& expected);

}  // namespace moeprobe

#endif  // MOEPROBE_CLIENT_REQUEST_YAML_TREE_H_
