#include "server/commands/duration_option.h"

#include <CLI/App.hpp>
#include <CLI/Validators.hpp>
#include <cstdint>
#include <map>
#include <string>

namespace moeprobe {

CLI::Option* AddDuration(CLI::App& command, const std::string& name,
                         int64_t& seconds, const std::string& description) {
  const std::map<std::string, int64_t> units = {
      {"s", 1}, {"m", 60}, {"h", 3600}, {"d", 86'400}, {"y", 31'557'600}};
  return command.add_option(name, seconds, description)
      ->transform(CLI::AsNumberWithUnit(
          units, CLI::AsNumberWithUnit::UNIT_REQUIRED, "NUMBER[s|m|h|d|y]"));
}

}  // namespace moeprobe
