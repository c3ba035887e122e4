#include "server/log.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <string>

namespace moeprobe {

void StartLog() {
  spdlog::set_default_logger(spdlog::stderr_logger_mt("moeprobe-server"));
}

void LogInfo(const std::string& message) { spdlog::info("{}", message); }

void LogWarning(const std::string& message) { spdlog::warn("{}", message); }

}  // namespace moeprobe
