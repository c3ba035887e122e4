#ifndef MOEPROBE_CLIENT_TEXT_FORMAT_H_
#define MOEPROBE_CLIENT_TEXT_FORMAT_H_

#include <cstdint>
#include <string>

#include "absl/time/time.h"

namespace moeprobe {

// Returns "0:07", "12:07" or "1:12:07"; negative durations count as none.
std::string FormatClock(absl::Duration duration);

// Returns "512 B", "1.4 kB", "28.6 GB": powers of 1000.
std::string FormatBytes(int64_t bytes);

// Returns a p value: three decimals, four below the thousandth.
std::string FormatP(double p);

// Returns the shortest decimal that reads back as `number`; "nan", "inf".
std::string FormatExact(double number);

}  // namespace moeprobe

#endif  // MOEPROBE_CLIENT_TEXT_FORMAT_H_
