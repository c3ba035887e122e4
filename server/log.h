#ifndef MOEPROBE_SERVER_LOG_H_
#define MOEPROBE_SERVER_LOG_H_

#include <string>

namespace moeprobe {

// Sends the log to standard error, which standard output is kept clear of.
void StartLog();

// Writes one line, with the time.
void LogInfo(const std::string& message);
void LogWarning(const std::string& message);

}  // namespace moeprobe

#endif  // MOEPROBE_SERVER_LOG_H_
