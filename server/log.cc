#include "server/log.h"

#include <grpc/support/log.h>
#include <spdlog/common.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <atomic>
#include <cstdint>
#include <map>
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

// gRPC writes to standard error by itself, in a form of its own.
void WriteOfGrpc(gpr_log_func_args* line) {
  const LogFields source = {
      {"source", absl::StrCat(line->file, ":", line->line)}};
  if (line->severity == GPR_LOG_SEVERITY_ERROR) {
    LogError(line->message, source);
  } else {
    LogInfo(line->message, source);
  }
}

}  // namespace

const char* NameOf(LogFormat format) {
  return format == LogFormat::kJson ? "json" : "text";
}

std::map<std::string, LogFormat> LogFormats() {
  std::map<std::string, LogFormat> formats;
  for (const LogFormat format : {LogFormat::kText, LogFormat::kJson}) {
    formats[NameOf(format)] = format;
  }
  return formats;
}

LogField JobField(int64_t job) { return {"job", absl::StrCat(job)}; }

LogField WorkerField(int64_t worker) {
  return {"worker", absl::StrCat(worker)};
}

std::string LogLine(LogFormat format, const std::string& level,
                    const std::string& message, const LogFields& fields) {
  if (format == LogFormat::kJson) return JsonLine(level, message, fields);
  std::string line = message;
  for (const auto& [name, value] : fields) {
    absl::StrAppend(&line, " ", name, "=", value);
  }
  return line;
}

void StartLog(const std::string& program, LogFormat format) {
  Format() = format;
  spdlog::set_default_logger(spdlog::stderr_logger_mt(program));
  if (format == LogFormat::kJson) spdlog::set_pattern("%v");
  gpr_set_log_function(WriteOfGrpc);
}

void LogInfo(const std::string& message, const LogFields& fields) {
  Write(spdlog::level::info, "info", message, fields);
}

void LogWarning(const std::string& message, const LogFields& fields) {
  Write(spdlog::level::warn, "warning", message, fields);
}

void LogError(const std::string& message, const LogFields& fields) {
  Write(spdlog::level::err, "error", message, fields);
}

}  // namespace moeprobe
