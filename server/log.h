#ifndef MOEPROBE_SERVER_LOG_H_
#define MOEPROBE_SERVER_LOG_H_

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace moeprobe {

// How lines of the log look: for people, or one JSON object each, with `time`,
// `level`, `message` and the fields beside them.
enum class LogFormat : std::uint8_t { kText, kJson };

// "text" or "json".
const char* NameOf(LogFormat format);
// All formats, by their names.
std::map<std::string, LogFormat> LogFormats();

// What a line is about, by name, such as {"job", "17"}.
using LogField = std::pair<std::string, std::string>;
using LogFields = std::vector<LogField>;

// What lines about one job have, and those that a worker has to do with.
LogField JobField(int64_t job);
LogField WorkerField(int64_t worker);

// Sends the log of this program to standard error, which standard output is
// kept clear of, with what gRPC has to say among it.
void StartLog(const std::string& program, LogFormat format);

// Writes one line, with the time.
void LogInfo(const std::string& message, const LogFields& fields = {});
void LogWarning(const std::string& message, const LogFields& fields = {});
void LogError(const std::string& message, const LogFields& fields = {});

// Returns the line, without the time and the level of a line of text.
std::string LogLine(LogFormat format, const std::string& level,
                    const std::string& message, const LogFields& fields);

}  // namespace moeprobe

#endif  // MOEPROBE_SERVER_LOG_H_
