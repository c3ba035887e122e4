#include "client/settings/settings_file.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/temporary_directory.h"

namespace moeprobe {
namespace {

using testing::HasSubstr;

class SettingsFileTest : public testing::Test {
 protected:
  std::filesystem::path Write(const std::string& text) {
    const auto file = directory_.path() / "client.yaml";
    std::ofstream(file) << text;
    return file;
  }

  TemporaryDirectory directory_;
};

TEST_F(SettingsFileTest, ReadsEveryKey) {
  const auto settings =
      ReadSettings(Write("server: lab.example.org:7600\n"
                         "token_file: token\n"
                         "ca: /etc/ca.crt\n"
                         "cert: bob.crt\n"
                         "key: bob.key\n"
                         "allow_unencrypted_network: true\n"));
  ASSERT_TRUE(settings.ok()) << settings.status();
  EXPECT_EQ(settings->server, "lab.example.org:7600");
  EXPECT_EQ(settings->files.token, directory_.path() / "token");
  EXPECT_EQ(settings->files.ca, "/etc/ca.crt");
  EXPECT_EQ(settings->files.certificate, directory_.path() / "bob.crt");
  EXPECT_EQ(settings->files.key, directory_.path() / "bob.key");
  EXPECT_TRUE(settings->files.allow_unencrypted_network);
}

TEST_F(SettingsFileTest, IsNotNeeded) {
  const auto settings = ReadSettings(directory_.path() / "none.yaml");
  ASSERT_TRUE(settings.ok()) << settings.status();
  EXPECT_EQ(settings->server, "");
  EXPECT_EQ(settings->files.token, "");
}

TEST_F(SettingsFileTest, SaysWhereItIsWrong) {
  for (const char* text : {"token: mp_1_2\n", "server: []\n", "- server\n",
                           "server: a\nserver: b\n", ""}) {
    const auto settings = ReadSettings(Write(text));
    EXPECT_TRUE(absl::IsInvalidArgument(settings.status())) << text;
    EXPECT_THAT(std::string(settings.status().message()),
                HasSubstr("client.yaml:"));
  }
}

TEST_F(SettingsFileTest, LacksSettingsAndNotARequestWhereItIsEmpty) {
  EXPECT_THAT(std::string(ReadSettings(Write("")).status().message()),
              HasSubstr("found nothing, expected settings"));
}

TEST_F(SettingsFileTest, IsLookedForWhereSettingsAre) {
  setenv("XDG_CONFIG_HOME", "/config", 1);
  EXPECT_EQ(DefaultSettingsFile(), "/config/moeprobe/client.yaml");
  unsetenv("XDG_CONFIG_HOME");
  setenv("HOME", "/home/bob", 1);
  EXPECT_EQ(DefaultSettingsFile(), "/home/bob/.config/moeprobe/client.yaml");
}

}  // namespace
}  // namespace moeprobe
