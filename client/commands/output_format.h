#ifndef MOEPROBE_CLIENT_COMMANDS_OUTPUT_FORMAT_H_
#define MOEPROBE_CLIENT_COMMANDS_OUTPUT_FORMAT_H_

#include <cstdint>

namespace moeprobe {

// How a command prints what it found.
enum class OutputFormat : std::uint8_t { kTable, kJson, kCsv };

}  // namespace moeprobe

#endif  // MOEPROBE_CLIENT_COMMANDS_OUTPUT_FORMAT_H_
