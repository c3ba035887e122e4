#ifndef MOEPROBE_SERVER_LABEL_H_
#define MOEPROBE_SERVER_LABEL_H_

#include <string>

#include "server/violations.h"

namespace moeprobe {

// Checks the free label of a request, its field `name`: at most 200 characters,
// none of them a control character.
void CheckLabel(const std::string& label, Violations& violations);

}  // namespace moeprobe

#endif  // MOEPROBE_SERVER_LABEL_H_
