#include "client/result/fetch.h"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <ios>
#include <iterator>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client/service/cancellation.h"
#include "client/service/client.h"
#include "client/testing/fake_server.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "moeprobe/v1/job.pb.h"
#include "moeprobe/v1/result_service.pb.h"

namespace moeprobe {
namespace {

namespace fs = std::filesystem;

std::string Content(const fs::path& path) {
  std::ostringstream content;
  content << std::ifstream(path, std::ios::binary).rdbuf();
  return content.str();
}

class FetchResultTest : public testing::Test {
 protected:
  FetchResultTest() {
    state_.job.set_name("jobs/17");
    state_.job.set_state(v1::Job::STATE_SUCCEEDED);
    state_.arrays = {{"layer0/b", "twelve bytes"}, {"layer0/a", "five!"}};
    fs::remove_all(directory_);
  }
  ~FetchResultTest() override { fs::remove_all(directory_); }

  absl::StatusOr<v1::Result> Fetch() {
    return FetchResult(client_, "jobs/17", directory_,
                       [this](int64_t done, int64_t total) {
                         done_ = done;
                         total_ = total;
                       });
  }

  FakeServerState state_;
  FakeServer server_{state_};
  Cancellation cancellation_;
  Client client_{{.address = server_.address()}, cancellation_};
  fs::path directory_ =
      fs::path(testing::TempDir()) /
      testing::UnitTest::GetInstance()->current_test_info()->name();
  int64_t done_ = 0;
  int64_t total_ = 0;
};

TEST_F(FetchResultTest, WritesThreeFilesAndNothingElse) {
  ASSERT_TRUE(Fetch().ok());
  EXPECT_THAT(Content(directory_ / "arrays.npz"),
              testing::HasSubstr("layer0/a.npyfive!"));
  EXPECT_THAT(Content(directory_ / "summary.csv"),
              testing::StartsWith("part,layer,"));
  EXPECT_EQ(
      nlohmann::json::parse(Content(directory_ / "result.json")).at("complete"),
      true);
  const fs::directory_iterator files(directory_);
  EXPECT_EQ(std::distance(begin(files), end(files)), 3);
  EXPECT_EQ(done_, 17);
  EXPECT_EQ(total_, 17);
}

TEST_F(FetchResultTest, ReplacesWhatWasThere) {
  fs::create_directories(directory_);
  std::ofstream(directory_ / "arrays.npz") << "old";
  std::ofstream(directory_ / "notes.txt") << "mine";
  ASSERT_TRUE(Fetch().ok());
  EXPECT_THAT(Content(directory_ / "arrays.npz"), testing::StartsWith("PK"));
  EXPECT_EQ(Content(directory_ / "notes.txt"), "mine");
}

TEST_F(FetchResultTest, LeavesNothingWhereAnArrayIsDamaged) {
  state_.damage_arrays = true;
  EXPECT_TRUE(absl::IsDataLoss(Fetch().status()));
  EXPECT_FALSE(fs::exists(directory_));
}

TEST_F(FetchResultTest, KeepsOldFilesWhereAnArrayIsDamaged) {
  ASSERT_TRUE(Fetch().ok());
  const std::string before = Content(directory_ / "arrays.npz");
  state_.damage_arrays = true;
  EXPECT_FALSE(Fetch().ok());
  EXPECT_EQ(Content(directory_ / "arrays.npz"), before);
}

TEST_F(FetchResultTest, TakesUpABrokenStreamWhereItBroke) {
  ASSERT_TRUE(Fetch().ok());
  const std::string whole = Content(directory_ / "arrays.npz");
  // Before the first array, between two, twice inside the second.
  state_.chunks_before_break = {0, 0, 1, 2, 2};
  state_.read_count = 1;
  const auto result = Fetch();
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(Content(directory_ / "arrays.npz"), whole);
  EXPECT_EQ(state_.read_count, 6);
  EXPECT_EQ(done_, 17);
}

TEST_F(FetchResultTest, GivesUpWhereTheServerStaysAway) {
  state_.chunks_before_break.assign(100, 1);
  Client hasty({.address = server_.address(),
                .stream_patience = std::chrono::milliseconds(200)},
               cancellation_);
  const absl::Status status =
      FetchResult(hasty, "jobs/17", directory_, [](int64_t, int64_t) {
      }).status();
  EXPECT_TRUE(absl::IsUnavailable(status)) << status;
  EXPECT_THAT(std::string(status.message()),
              testing::HasSubstr(server_.address()));
  EXPECT_FALSE(fs::exists(directory_));
}

TEST_F(FetchResultTest, LeavesNothingWhenInterrupted) {
  cancellation_.Cancel();
  EXPECT_FALSE(Fetch().ok());
  EXPECT_FALSE(fs::exists(directory_));
}

TEST_F(FetchResultTest, TakesWhatARunningJobHas) {
  state_.job.set_state(v1::Job::STATE_RUNNING);
  const auto result = Fetch();
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(
      nlohmann::json::parse(Content(directory_ / "result.json")).at("complete"),
      false);
}

TEST_F(FetchResultTest, SaysThatThereIsNothingYet) {
  state_.job.set_state(v1::Job::STATE_QUEUED);
  state_.arrays.clear();
  const absl::Status status = Fetch().status();
  EXPECT_TRUE(absl::IsFailedPrecondition(status));
  EXPECT_EQ(status.message(), "jobs/17 has no results: it is queued");
  EXPECT_FALSE(fs::exists(directory_));
}

TEST_F(FetchResultTest, RefusesNamesThatLeadElsewhere) {
  for (const char* name : {"../x", "/etc/x", "a/../../x", "a\nb", ""}) {
    state_.arrays = {{name, "bytes"}};
    EXPECT_TRUE(absl::IsDataLoss(Fetch().status())) << name;
  }
}

TEST_F(FetchResultTest, RefusesADirectoryThatIsAFile) {
  std::ofstream(directory_) << "a file";
  EXPECT_TRUE(absl::IsInvalidArgument(Fetch().status()));
  EXPECT_EQ(Content(directory_), "a file");
}

}  // namespace
}  // namespace moeprobe
