#include "server/log.h"

#include <spdlog/common.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <atomic>
#include <nlohmann/json.hpp>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"

namespace moeprobe {
namespace {

// Of the process, as the log itself is.
std::atomic<LogFormat>& Format() {
  static std::atomic<LogFormat> format = LogFormat::kText;
  return format;
}

std::string JsonLine(const std::string& level, const std::string& message,
                     const LogFields& fields) {
  nlohmann::ordered_json line = {
      {"time", absl::FormatTime("%Y-%m-%dT%H:%M:%E3SZ", absl::Now(),
                                absl::UTCTimeZone())},
      {"level", level},
      {"message", message}};
  for (const auto& [name, value] : fields) line[name] = value;
  // Whatever bytes a file name may have, the line is UTF-8.
  return line.dump(-1, ' ', /*ensure_ascii=*/false,
                   nlohmann::ordered_json::error_handler_t::replace);
}

void Write(spdlog::level::level_enum level, const std::string& name,
           const std::string& message, const LogFields& fields) {
  spdlog::log(level, "{}", LogLine(Format(), name, message, fields));
}

}  // namespace

std::string LogLine(LogFormat format, const std::string& level,
                    const std::string& message, const LogFields& fields) {
  if (format == LogFormat::kJson) return JsonLine(level, message, fields);
  std::string line = message;
  for (const auto& [name, value] : fields) {
    absl::StrAppend(&line, " ", name, "=", value);
  }
  return line;
}

void StartLog(LogFormat format) {
  Format() = format;
  spdlog::set_default_logger(spdlog::stderr_logger_mt("moeprobe-server"));
  if (format == LogFormat::kJson) spdlog::set_pattern("%v");
}

void LogInfo(const std::string& message, const LogFields& fields) {
  Write(spdlog::level::info, "info", message, fields);
}

void LogWarning(const std::string& message, const LogFields& fields) {
  Write(spdlog::level::warn, "warning", message, fields);
}

}  // namespace moeprobe
