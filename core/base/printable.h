#ifndef MOEPROBE_CORE_BASE_PRINTABLE_H_
#define MOEPROBE_CORE_BASE_PRINTABLE_H_

#include <string>
#include <string_view>

namespace moeprobe {

// Returns `text`, which somebody else wrote, as one line that is safe to show:
// line breaks and tabs become spaces, other controls and bytes that are not
// UTF-8 become U+FFFD.
std::string PrintableLine(std::string_view text);

// The same, but line breaks stay.
std::string PrintableLines(std::string_view text);

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_BASE_PRINTABLE_H_
