#include "client/service/connection_files.h"

#include <filesystem>
#include <fstream>
#include <string>

#include "absl/status/status.h"
#include "client/service/client_options.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/temporary_directory.h"

namespace moeprobe {
namespace {

using testing::HasSubstr;

class ConnectionFilesTest : public testing::Test {
 protected:
  std::filesystem::path Write(const std::string& name, const std::string& bytes,
                              int mode = 0600) {
    const auto path = directory_.path() / name;
    std::ofstream(path) << bytes;
    std::filesystem::permissions(path,
                                 static_cast<std::filesystem::perms>(mode));
    return path;
  }

  absl::Status Use(const ConnectionFiles& files, const std::string& address) {
    options_.address = address;
    return UseFiles(files, options_);
  }

  TemporaryDirectory directory_;
  ClientOptions options_;
};

TEST_F(ConnectionFilesTest, ReadsATokenAsItWasWritten) {
  EXPECT_EQ(*ReadTokenFile(Write("t", "mp_1_2\n")), "mp_1_2");
}

TEST_F(ConnectionFilesTest, RefusesTokensThatOthersCanRead) {
  for (const int mode : {0640, 0604, 0620, 0777}) {
    const auto token = ReadTokenFile(Write("t", "mp_1_2", mode));
    EXPECT_TRUE(absl::IsFailedPrecondition(token.status())) << mode;
    EXPECT_THAT(std::string(token.status().message()), HasSubstr("chmod 600"));
  }
}

TEST_F(ConnectionFilesTest, RefusesWhatIsNoToken) {
  for (const char* bytes :
       {"", "\n", "two words", "a\nb", "\x01", "\xc3\xb6"}) {
    EXPECT_TRUE(
        absl::IsInvalidArgument(ReadTokenFile(Write("t", bytes)).status()))
        << bytes;
  }
  EXPECT_TRUE(
      absl::IsNotFound(ReadTokenFile(directory_.path() / "none").status()));
}

TEST_F(ConnectionFilesTest, SendsATokenWhereNobodyElseReadsIt) {
  const ConnectionFiles files{.token = Write("t", "mp_1_2")};
  for (const char* address : {"unix:/run/x", "127.0.0.1:1", "localhost:1"}) {
    options_.token.clear();
    EXPECT_TRUE(Use(files, address).ok()) << address;
    EXPECT_EQ(options_.token, "mp_1_2");
  }
}

TEST_F(ConnectionFilesTest, SendsNoTokenInTheClear) {
  ConnectionFiles files{.token = Write("t", "mp_1_2")};
  const absl::Status status = Use(files, "lab.example.org:1");
  EXPECT_TRUE(absl::IsFailedPrecondition(status));
  EXPECT_THAT(std::string(status.message()), HasSubstr("--ca"));
  EXPECT_EQ(options_.token, "");
  files.allow_unencrypted_network = true;
  EXPECT_TRUE(Use(files, "lab.example.org:1").ok());
}

TEST_F(ConnectionFilesTest, EncryptsWithACa) {
  ConnectionFiles files{.token = Write("t", "mp_1_2"),
                        .ca = Write("ca", "-----BEGIN CERTIFICATE-----")};
  ASSERT_TRUE(Use(files, "lab.example.org:1").ok());
  EXPECT_NE(options_.credentials, nullptr);
  EXPECT_EQ(options_.token, "mp_1_2");
}

TEST_F(ConnectionFilesTest, WantsFilesThatGoTogether) {
  const auto pem = Write("pem", "-----BEGIN X-----");
  for (const ConnectionFiles& files :
       {ConnectionFiles{.ca = pem, .certificate = pem},
        ConnectionFiles{.ca = pem, .key = pem},
        ConnectionFiles{.certificate = pem, .key = pem}}) {
    EXPECT_TRUE(absl::IsFailedPrecondition(Use(files, "a:1")));
  }
  EXPECT_TRUE(Use({.ca = pem, .certificate = pem, .key = pem}, "a:1").ok());
}

TEST_F(ConnectionFilesTest, RefusesAKeyThatOthersCanRead) {
  const auto pem = Write("pem", "-----BEGIN X-----");
  const auto key = Write("key", "-----BEGIN X-----", 0644);
  EXPECT_TRUE(absl::IsFailedPrecondition(
      Use({.ca = pem, .certificate = pem, .key = key}, "a:1")));
}

TEST_F(ConnectionFilesTest, SaysWhichFileIsNoPem) {
  const auto text = Write("text", "hello");
  const absl::Status status = Use({.ca = text}, "a:1");
  EXPECT_TRUE(absl::IsInvalidArgument(status));
  EXPECT_THAT(std::string(status.message()), HasSubstr(text.string()));
}

}  // namespace
}  // namespace moeprobe
