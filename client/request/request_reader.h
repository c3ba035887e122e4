#ifndef MOEPROBE_CLIENT_REQUEST_REQUEST_READER_H_
#define MOEPROBE_CLIENT_REQUEST_REQUEST_READER_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client/request/source_text.h"
#include "client/request/yaml_tree.h"
#include "moeprobe/v1/job.pb.h"

namespace moeprobe {

// A request file that has been read.
struct Request {
  v1::Job job;  // spec and sharing alone; keys that the file lacks are unset
  SourceText source;
  YamlNode tree;

  // Returns InvalidArgument that says `what` of the value at `path`, such as
  // "data[0].tokens" or "variants.soft.block", with its line and column; those
  // of the nearest value above it where the file leaves it out.
  absl::Status ErrorAt(const std::string& path, const std::string& what) const;
};

// Reads a request (docs/request.md) from the content of `file`.
//
// Returns InvalidArgument "file:line:column: path: found ..., expected ..." for
// the first thing that is wrong. Nothing outside `text` is looked at.
absl::StatusOr<Request> ReadRequest(const std::string& text,
                                    const std::string& file);

}  // namespace moeprobe

#endif  // MOEPROBE_CLIENT_REQUEST_REQUEST_READER_H_
