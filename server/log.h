#ifndef MOEPROBE_SERVER_LOG_H_
#define MOEPROBE_SERVER_LOG_H_

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace moeprobe {

// How lines of the log look: for people, or one JSON object each, with `time`,
// `level`, `message` and the fields beside them.
enum class LogFormat : std::uint8_t { kText, kJson };

// What a line is about, by name, such as {"job", "17"}.
using LogField = std::pair<std::string, std::string>;
using LogFields = std::vector<LogField>;

// Sends the log to standard error, which standard output is kept clear of.
void StartLog(LogFormat format);

// Writes one line, with the time.
void LogInfo(const std::string& message, const LogFields& fields = {});
void LogWarning(const std::string& message, const LogFields& fields = {});

// Returns the line, without the time and the level of a line of text.
std::string LogLine(LogFormat format, const std::string& level,
                    const std::string& message, const LogFields& fields);

}  // namespace moeprobe

#endif  // MOEPROBE_SERVER_LOG_H_
