#include "client/service/client.h"

#include <chrono>
#include <cstdint>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client/service/cancellation.h"
#include "client/testing/fake_server.h"
#include "core/base/sha256.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "moeprobe/v1/analysis.pb.h"
#include "moeprobe/v1/dataset_service.pb.h"
#include "moeprobe/v1/job.pb.h"

namespace moeprobe {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

v1::JobEvent StateEvent(int64_t sequence, v1::Job::State state) {
  v1::JobEvent event;
  event.set_sequence(sequence);
  event.set_state(state);
  return event;
}

class ClientTest : public testing::Test {
 protected:
  ClientTest() {
    state_.job.set_name("jobs/17");
    state_.events = {StateEvent(1, v1::Job::STATE_QUEUED),
                     StateEvent(2, v1::Job::STATE_RUNNING),
                     StateEvent(3, v1::Job::STATE_SUCCEEDED)};
  }

  // Watches the job and returns the numbers of the events seen.
  absl::StatusOr<std::vector<int64_t>> Watch() {
    std::vector<int64_t> seen;
    absl::Status status = client_.WatchJob(
        "jobs/17",
        [&](const v1::JobEvent& event) { seen.push_back(event.sequence()); });
    if (!status.ok()) return status;
    return seen;
  }

  absl::Status Upload(const std::string& bytes, const std::string& sha256) {
    v1::Dataset dataset;
    dataset.set_name("datasets/x");
    dataset.set_sha256(sha256);
    std::string rest = bytes;
    return client_
        .UploadDataset(dataset,
                       [&]() -> absl::StatusOr<std::string> {
                         std::string piece = rest.substr(0, 4);
                         rest.erase(0, piece.size());
                         return piece;
                       })
        .status();
  }

  FakeServerState state_;
  FakeServer server_{state_};
  Cancellation cancellation_;
  Client client_{{.address = server_.address()}, cancellation_};
};

TEST_F(ClientTest, RepeatsACreationWithTheSameRequestId) {
  state_.unavailable_calls = 2;
  const auto job = client_.CreateJob(v1::Job(), "the id");
  ASSERT_TRUE(job.ok()) << job.status();
  EXPECT_EQ(job->name(), "jobs/17");
  EXPECT_THAT(state_.request_ids, ElementsAre("the id", "the id", "the id"));
}

TEST_F(ClientTest, DoesNotRepeatWhatTheServerRefused) {
  state_.validation.add_violations();
  const auto job = client_.CreateJob(v1::Job(), "the id");
  EXPECT_TRUE(absl::IsInvalidArgument(job.status()));
  EXPECT_EQ(state_.request_ids.size(), 1U);
}

TEST_F(ClientTest, SaysWhereNobodyAnswers) {
  Client lonely({.address = "unix:/nowhere/socket",
                 .patience = std::chrono::milliseconds(1)},
                cancellation_);
  const absl::Status status = lonely.GetJob("jobs/17").status();
  EXPECT_TRUE(absl::IsUnavailable(status));
  EXPECT_THAT(std::string(status.message()),
              testing::AllOf(HasSubstr("unix:/nowhere/socket"),
                             HasSubstr("MOEPROBE_SERVER")));
}

TEST_F(ClientTest, CollectsAllPages) {
  state_.job_count = 5;
  const auto jobs = client_.ListJobs();
  ASSERT_TRUE(jobs.ok());
  ASSERT_EQ(jobs->size(), 5U);
  EXPECT_EQ(jobs->front().name(), "jobs/5");
  EXPECT_EQ(jobs->back().name(), "jobs/1");
}

TEST_F(ClientTest, TakesUpABrokenWatchAfterTheLastEvent) {
  state_.events_before_break = 1;
  const auto seen = Watch();
  ASSERT_TRUE(seen.ok()) << seen.status();
  EXPECT_THAT(*seen, ElementsAre(1, 2, 3));
}

TEST_F(ClientTest, PassesOnWhatIsInNoHistory) {
  v1::JobEvent progress;
  progress.mutable_progress()->set_phase("soft: step 2");
  state_.events.insert(state_.events.begin() + 2, progress);
  const auto seen = Watch();
  ASSERT_TRUE(seen.ok()) << seen.status();
  EXPECT_THAT(*seen, ElementsAre(1, 2, 0, 3));
}

TEST_F(ClientTest, WatchesThroughARestart) {
  state_.unavailable_calls = 3;
  const auto seen = Watch();
  ASSERT_TRUE(seen.ok()) << seen.status();
  EXPECT_THAT(*seen, ElementsAre(1, 2, 3));
}

TEST_F(ClientTest, EndsAWatchThatIsCancelled) {
  state_.events.pop_back();
  std::thread canceller([this] { cancellation_.Cancel(); });
  EXPECT_FALSE(Watch().ok());
  canceller.join();
}

TEST_F(ClientTest, UploadsInPieces) {
  const std::string bytes = "ten bytes!";
  ASSERT_TRUE(Upload(bytes, Sha256Hex(bytes)).ok());
  EXPECT_EQ(state_.datasets.at("datasets/x"), bytes);
}

TEST_F(ClientTest, ReportsWhyAnUploadWasRefused) {
  const absl::Status status = Upload("ten bytes!", "0");
  EXPECT_TRUE(absl::IsDataLoss(status));
  EXPECT_EQ(status.message(), "wrong digest");
}

}  // namespace
}  // namespace moeprobe
