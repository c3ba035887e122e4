#ifndef MOEPROBE_CLIENT_TEXT_NEAREST_NAME_H_
#define MOEPROBE_CLIENT_TEXT_NEAREST_NAME_H_

#include <string>
#include <string_view>
#include <vector>

namespace moeprobe {

// Returns the name that was probably meant by `word`: the one the fewest
// insertions, deletions, replacements and swaps away, case ignored. Empty if
// none is near: at most a third of the longer word may differ.
std::string NearestName(std::string_view word,
                        const std::vector<std::string>& names);

}  // namespace moeprobe

#endif  // MOEPROBE_CLIENT_TEXT_NEAREST_NAME_H_
