#ifndef MOEPROBE_SERVER_NEAR_NAME_H_
#define MOEPROBE_SERVER_NEAR_NAME_H_

#include <string>
#include <vector>

namespace moeprobe {

// Returns the candidate that `name` was probably meant to be: the nearest one
// by edit distance, letter case aside; "" if none is near.
std::string NearName(const std::string& name,
                     const std::vector<std::string>& candidates);

}  // namespace moeprobe

#endif  // MOEPROBE_SERVER_NEAR_NAME_H_
