#ifndef MOEPROBE_SERVER_NUMBER_RANGE_H_
#define MOEPROBE_SERVER_NUMBER_RANGE_H_

#include <cstdint>
#include <initializer_list>
#include <string>

#include "server/violations.h"

namespace moeprobe {

// A number of a message, and the least and the most that it may be.
struct NumberRange {
  const char* field;
  int64_t value, least, most;
};

// Adds a violation for each number that is out of its range, under `message`
// and its field: "optimizer.steps".
void CheckRanges(const std::string& message,
                 std::initializer_list<NumberRange> ranges,
                 Violations& violations);

}  // namespace moeprobe

#endif  // MOEPROBE_SERVER_NUMBER_RANGE_H_
