#ifndef MOEPROBE_SERVER_UTF8_CHECK_H_
#define MOEPROBE_SERVER_UTF8_CHECK_H_

#include <cstdint>
#include <optional>
#include <string_view>

namespace moeprobe {

// Returns the position of the first byte that is not part of well-formed UTF-8
// (RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF), or
// nullopt if there is none.
std::optional<int64_t> FindInvalidUtf8(std::string_view text);

}  // namespace moeprobe

#endif  // MOEPROBE_SERVER_UTF8_CHECK_H_
