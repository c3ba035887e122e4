#ifndef MOEPROBE_CLIENT_REQUEST_SOURCE_TEXT_H_
#define MOEPROBE_CLIENT_REQUEST_SOURCE_TEXT_H_

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace moeprobe {

// The text of a request file, known to be clean.
class SourceText {
 public:
  // Takes the content of a file and the name by which errors call it.
  //
  // Returns InvalidArgument, with line and column, if it is larger than 1 MiB,
  // not UTF-8 (without NUL, controls or reordering marks), indented with tabs,
  // or holds YAML directives.
  static absl::StatusOr<SourceText> Create(std::string text, std::string file);

  const std::string& text() const { return text_; }

  // Returns the offset of a byte, given line and byte column counted from 0; at
  // most the end of the text.
  size_t OffsetOf(int line, int byte_column) const;

  // Returns InvalidArgument "file:line:column: what" for the byte at `offset`.
  // Lines and columns count from 1, columns in characters, as editors do.
  absl::Status Error(size_t offset, const std::string& what) const;

 private:
  SourceText(std::string text, std::string file);
  absl::Status CheckCharacters() const;
  absl::Status CheckLines() const;

  std::string text_;
  std::string file_;
  std::vector<size_t> line_starts_;
};

}  // namespace moeprobe

#endif  // MOEPROBE_CLIENT_REQUEST_SOURCE_TEXT_H_
