#ifndef MOEPROBE_CORE_BASE_STRICT_JSON_H_
#define MOEPROBE_CORE_BASE_STRICT_JSON_H_

#include <string>
#include <string_view>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/base/json_value.h"  // IWYU pragma: export

namespace moeprobe {

// Receives one member of the outermost object.
using JsonMemberVisitor =
    absl::FunctionRef<absl::Status(const std::string& key, JsonValue value)>;

// Reads a JSON text that is one object and hands its members on one by one, so
// that a large text is never in memory as a whole. Duplicate keys are found out
// only at an object's end: what was handed on counts if OK is returned.
//
// Stricter than RFC 8259 where readers disagree: duplicate keys, a byte order
// mark, invalid UTF-8, NaN and Infinity, numbers beyond double, bytes after the
// object (also after a NUL), more than 32 levels and more than 2^18 values in
// one member are errors. White space in front is accepted.
//
// Returns InvalidArgument that says where and what, in one line; or the first
// error of `visit`.
absl::Status ForEachJsonMember(std::string_view text, JsonMemberVisitor visit);

// Reads a whole object, as strictly.
absl::StatusOr<JsonObject> ParseJsonObject(std::string_view text);

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_BASE_STRICT_JSON_H_
