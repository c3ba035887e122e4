#include "client/settings/settings_file.h"

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client/request/source_text.h"
#include "client/request/value.h"
#include "client/request/yaml_tree.h"
#include "client/service/connection_files.h"
#include "core/base/file_content.h"
#include "core/base/status_macros.h"

namespace moeprobe {
namespace {

constexpr int64_t kMaxBytes = int64_t{1} << 20;

// A key whose value is a path, relative to `folder`.
Field PathField(const std::string& key, const std::filesystem::path& folder,
                std::filesystem::path& path) {
  return {key, [&folder, &path](const Value& value) -> absl::Status {
            MOEPROBE_ASSIGN_OR_RETURN(const std::string text, value.Text());
            path = folder / text;
            return absl::OkStatus();
          }};
}

absl::Status Read(const Value& root, const std::filesystem::path& folder,
                  Settings& settings) {
  ConnectionFiles& files = settings.files;
  return root.Fields(
      {{"server",
        [&](const Value& value) -> absl::Status {
          MOEPROBE_ASSIGN_OR_RETURN(settings.server, value.Text());
          return absl::OkStatus();
        }},
       PathField("token_file", folder, files.token),
       PathField("ca", folder, files.ca),
       PathField("cert", folder, files.certificate),
       PathField("key", folder, files.key),
       {"allow_unencrypted_network", [&](const Value& value) -> absl::Status {
          MOEPROBE_ASSIGN_OR_RETURN(files.allow_unencrypted_network,
                                    value.Boolean());
          return absl::OkStatus();
        }}});
}

}  // namespace

std::filesystem::path DefaultSettingsFile() {
  const char* config_home = std::getenv("XDG_CONFIG_HOME");
  if (config_home != nullptr && config_home[0] != '\0') {
    return std::filesystem::path(config_home) / "moeprobe/client.yaml";
  }
  const char* home = std::getenv("HOME");
  return std::filesystem::path(home != nullptr ? home : "/") /
         ".config/moeprobe/client.yaml";
}

absl::StatusOr<Settings> ReadSettings(const std::filesystem::path& file) {
  absl::StatusOr<FileContent> content = ReadFile(file, kMaxBytes);
  if (absl::IsNotFound(content.status())) return Settings();
  MOEPROBE_RETURN_IF_ERROR(content.status());
  MOEPROBE_ASSIGN_OR_RETURN(const SourceText source,
                            SourceText::Create(content->bytes, file.string()));
  MOEPROBE_ASSIGN_OR_RETURN(const YamlNode tree, ParseYaml(source, "settings"));
  Settings settings;
  MOEPROBE_RETURN_IF_ERROR(
      Read(Value(tree, "", source), file.parent_path(), settings));
  return settings;
}

}  // namespace moeprobe
