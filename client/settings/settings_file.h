#ifndef MOEPROBE_CLIENT_SETTINGS_SETTINGS_FILE_H_
#define MOEPROBE_CLIENT_SETTINGS_SETTINGS_FILE_H_

#include <filesystem>
#include <string>

#include "absl/status/statusor.h"
#include "client/service/connection_files.h"

namespace moeprobe {

// What a user has written down once: which server, and how to reach it.
struct Settings {
  std::string server;  // address; empty: the default one
  ConnectionFiles files = {};
};

// Where settings are looked for: $XDG_CONFIG_HOME/moeprobe/client.yaml, or
// ~/.config/moeprobe/client.yaml.
std::filesystem::path DefaultSettingsFile();

// Reads settings: YAML with the keys server, token_file, ca, cert, key and
// allow_unencrypted_network, all optional. Paths are relative to the file. No
// settings where there is no file. Errors name file, line and column.
absl::StatusOr<Settings> ReadSettings(const std::filesystem::path& file);

}  // namespace moeprobe

#endif  // MOEPROBE_CLIENT_SETTINGS_SETTINGS_FILE_H_
