#ifndef MOEPROBE_CORE_BASE_QUOTED_H_
#define MOEPROBE_CORE_BASE_QUOTED_H_

#include <string>
#include <string_view>

namespace moeprobe {

// Returns `text`, which may come from anybody, fit for a one-line message: in
// double quotes, control characters and bytes outside ASCII escaped, and long
// text cut with "..." inside the quotes.
std::string Quoted(std::string_view text);

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_BASE_QUOTED_H_
