#include "server/access/audit_log.h"

#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/temporary_directory.h"

namespace moeprobe {
namespace {

using Json = nlohmann::json;
using testing::IsEmpty;
using testing::SizeIs;

class AuditLogTest : public testing::Test {
 protected:
  std::unique_ptr<AuditLog> Open() {
    return *AuditLog::Open(file_,
                           [this](const absl::Status& status, int64_t count) {
                             told_.push_back(status);
                             EXPECT_EQ(count, told_.size());
                           });
  }

  static std::vector<std::string> Lines(const std::filesystem::path& file) {
    std::vector<std::string> lines;
    std::ifstream stream(file);
    for (std::string line; std::getline(stream, line);) lines.push_back(line);
    return lines;
  }

  static mode_t ModeOf(const std::filesystem::path& file) {
    struct stat found{};
    EXPECT_EQ(stat(file.c_str(), &found), 0);
    return found.st_mode & 0777U;
  }

  TemporaryDirectory directory_;
  std::filesystem::path file_ = directory_.path() / "audit.log";
  std::vector<absl::Status> told_;
};

TEST_F(AuditLogTest, HasALineForEachCall) {
  Open()->Write({.user = "bob",
                 .proof = "token",
                 .from = "ipv4:127.0.0.1:7",
                 .method = "JobService/CancelJob",
                 .resource = "jobs/17",
                 .outcome = "OK"});
  const auto lines = Lines(file_);
  ASSERT_THAT(lines, SizeIs(1));
  const Json json = Json::parse(lines[0]);
  EXPECT_EQ(json["user"], "bob");
  EXPECT_EQ(json["proof"], "token");
  EXPECT_EQ(json["from"], "ipv4:127.0.0.1:7");
  EXPECT_EQ(json["method"], "JobService/CancelJob");
  EXPECT_EQ(json["resource"], "jobs/17");
  EXPECT_EQ(json["outcome"], "OK");
  EXPECT_THAT(json["time"].get<std::string>(),
              testing::MatchesRegex("20[0-9-]+T[0-9:]+[.][0-9]+Z"));
  EXPECT_EQ(json.size(), 7);
}

TEST_F(AuditLogTest, GrowsOverARestart) {
  Open()->Write({});
  Open()->Write({});
  EXPECT_THAT(Lines(file_), SizeIs(2));
}

TEST_F(AuditLogTest, IsForTheServerAlone) {
  std::ofstream(file_).close();
  std::filesystem::permissions(file_, std::filesystem::perms::all);
  Open();
  EXPECT_EQ(ModeOf(file_), 0600U);
}

TEST_F(AuditLogTest, FollowsNoLink) {
  std::filesystem::create_symlink(directory_.path() / "other", file_);
  EXPECT_FALSE(AuditLog::Open(file_, [](const absl::Status&, int64_t) {}).ok());
}

TEST_F(AuditLogTest, WaitsForNobodyWhoReads) {
  ASSERT_EQ(mkfifo(file_.c_str(), S_IRUSR | S_IWUSR), 0);
  EXPECT_FALSE(AuditLog::Open(file_, [](const absl::Status&, int64_t) {}).ok());
}

TEST_F(AuditLogTest, KeepsHostileNamesInOneLine) {
  const std::string hostile = absl::StrCat(
      "jobs/1\n{\"user\": \"root\"}\x1b[2J\xff", std::string(100'000, 'x'));
  Open()->Write({.user = "bob", .resource = hostile, .outcome = "NOT_FOUND"});
  const auto lines = Lines(file_);
  ASSERT_THAT(lines, SizeIs(1));
  EXPECT_LT(lines[0].size(), 1000);
  EXPECT_EQ(Json::parse(lines[0])["user"], "bob");
  for (const char c : lines[0]) EXPECT_TRUE(c >= ' ' && c < 127);
}

TEST_F(AuditLogTest, KeepsLinesOfManyThreadsWhole) {
  const auto log = Open();
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      for (int j = 0; j < 100; ++j) log->Write({.user = "bob"});
    });
  }
  for (std::thread& thread : threads) thread.join();
  const auto lines = Lines(file_);
  EXPECT_THAT(lines, SizeIs(800));
  for (const std::string& line : lines) EXPECT_TRUE(Json::accept(line));
}

TEST_F(AuditLogTest, GoesOnInANewFile) {
  const auto log = Open();
  const auto moved = directory_.path() / "audit.log.1";
  log->Write({.user = "before"});
  std::filesystem::rename(file_, moved);
  log->Write({.user = "meanwhile"});
  ASSERT_TRUE(log->Reopen().ok());
  log->Write({.user = "after"});
  EXPECT_THAT(Lines(moved), SizeIs(2));
  EXPECT_THAT(Lines(file_), SizeIs(1));
  EXPECT_EQ(ModeOf(file_), 0600U);
}

TEST_F(AuditLogTest, StaysWhereItIsIfThereIsNoNewFile) {
  const auto log = Open();
  const auto moved = directory_.path() / "audit.log.1";
  std::filesystem::rename(file_, moved);
  std::filesystem::create_directory(file_);
  EXPECT_FALSE(log->Reopen().ok());
  log->Write({});
  EXPECT_THAT(Lines(moved), SizeIs(1));
}

// A limit on the size of files, which stands for a full disk.
class FullDisk {
 public:
  explicit FullDisk(rlim_t bytes) {
    std::signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit limit{.rlim_cur = bytes, .rlim_max = before_.rlim_max};
    setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FullDisk() { setrlimit(RLIMIT_FSIZE, &before_); }
  FullDisk(const FullDisk&) = delete;
  FullDisk& operator=(const FullDisk&) = delete;

 private:
  rlimit before_{};
};

TEST_F(AuditLogTest, TellsOfLinesThatItLacksAndGoesOn) {
  const auto log = Open();
  log->Write({.user = "before"});
  {
    const FullDisk full(std::filesystem::file_size(file_) + 5);
    log->Write({.user = "cut"});
    log->Write({.user = "lost"});
  }
  EXPECT_EQ(log->failure_count(), 2);
  ASSERT_THAT(told_, SizeIs(2));
  EXPECT_FALSE(told_[0].ok());
  log->Write({.user = "after"});
  const auto lines = Lines(file_);
  ASSERT_THAT(lines, SizeIs(3));
  EXPECT_FALSE(Json::accept(lines[1]));
  EXPECT_EQ(Json::parse(lines[2])["user"], "after");
}

TEST_F(AuditLogTest, SaysWhereItCannotBe) {
  file_ = directory_.path() / "no/such/place";
  const auto log = AuditLog::Open(file_, [](const absl::Status&, int64_t) {});
  EXPECT_EQ(log.status().code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(told_, IsEmpty());
}

}  // namespace
}  // namespace moeprobe
