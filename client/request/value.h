#ifndef MOEPROBE_CLIENT_REQUEST_VALUE_H_
#define MOEPROBE_CLIENT_REQUEST_VALUE_H_

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client/request/source_text.h"
#include "client/request/yaml_tree.h"

namespace moeprobe {

struct Field;

// A value of a request while it is read: a node that knows its path, such as
// "data[1].tokens". Every error names file, line, column, path, what was found
// and what was expected. Refers to tree and source, which must outlive it.
class Value {
 public:
  Value(const YamlNode& node, std::string path, const SourceText& source)
      : node_(&node), path_(std::move(path)), source_(&source) {}

  const YamlNode& node() const { return *node_; }

  // Returns a scalar as written, quotes resolved. Errors: anything else, an
  // empty one, or one with control characters.
  absl::StatusOr<std::string> Text() const;

  // Returns a plain decimal integer in [least, most]. `expected` describes it
  // in errors; empty: by its range.
  absl::StatusOr<int64_t> Integer(int64_t least, int64_t most,
                                  std::string expected = "") const;

  // Returns a plain decimal number, such as 0.25 or 1e-3, that `fits`;
  // `expected` describes such numbers in errors.
  absl::StatusOr<double> Number(const std::string& expected,
                                bool (*fits)(double number)) const;

  // Returns plain `true` or `false`.
  absl::StatusOr<bool> Boolean() const;

  // Returns the entries of a list of at least one.
  absl::StatusOr<std::vector<Value>> Items() const;

  // Returns the values of a mapping, in file order. Errors: anything else.
  absl::StatusOr<std::vector<Value>> Entries() const;

  // Returns an error for the first of `keys` that a mapping lacks.
  absl::Status CheckHas(std::initializer_list<const char*> keys) const;

  // Reads a mapping: for each of its keys, in file order, calls what `fields`
  // has for it. Errors: anything but a mapping, a key that `fields` lacks, and
  // those of the calls.
  absl::Status Fields(const std::vector<Field>& fields) const;

  // Returns the value of `key` in a mapping as a list of none or one.
  std::vector<Value> Find(std::string_view key) const;

  // Whether it is the scalar `word`.
  bool Is(std::string_view word) const;

  // Returns the error "path: found ..., expected ...".
  absl::Status Expected(const std::string& what) const;

  // Returns the error "path: what".
  absl::Status Error(const std::string& what) const;

  // Returns the error that its key, not its content, is out of place: "path
  // what", with the place of the key.
  absl::Status KeyError(const std::string& what) const;

 private:
  absl::Status UnknownKey(const YamlNode& child,
                          const std::vector<Field>& fields) const;
  std::string ChildPath(const YamlNode& child) const;
  std::string Found() const;

  const YamlNode* node_;
  std::string path_;
  const SourceText* source_;
};

// How the value of one key of a mapping is read.
struct Field {
  using Read = std::function<absl::Status(const Value&)>;

  Field(std::string field_key, Read field_read)
      : key(std::move(field_key)), read(std::move(field_read)) {}

  std::string key;
  Read read;
};

}  // namespace moeprobe

#endif  // MOEPROBE_CLIENT_REQUEST_VALUE_H_
