#include "storage/job_store.h"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "storage/attempt_store.h"
#include "storage/database.h"
#include "storage/job.h"
#include "storage/job_queue.h"
#include "tests/testing/temporary_directory.h"

namespace moeprobe {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class JobStoreTest : public testing::Test {
 protected:
  // A job that needs one group, "routing" of layer 3.
  NewJob SomeJob(const std::string& key = "") {
    NewJob job;
    job.spec = std::string("a\0b", 3);
    job.request_key = "k";
    job.parts = {{.prefix = "baseline/"}};
    job.groups = {{.part = 0, .layer = 3, .probe = "routing", .key = key}};
    return job;
  }

  int64_t Create(const NewJob& job) {
    const auto id = jobs_.Create(job);
    EXPECT_TRUE(id.ok()) << id.status();
    return id.value_or(0);
  }

  JobState StateOf(int64_t id) {
    const auto row = jobs_.Get(id);
    EXPECT_TRUE(row.ok()) << row.status();
    return row->state;
  }

  // Puts the group with this key into the cache.
  void FillCache(const std::string& key) {
    const int64_t id = Create(SomeJob());
    const auto attempt = queue_.Start(id, 1);
    ASSERT_TRUE(attempt.ok()) << attempt.status();
    PublishedLayer layer{
        .layer = 3,
        .stamp = "s",
        .weights_fingerprint = "w",
        .groups = {{.probe = "routing", .key = key, .arrays = {}}},
        .needed = {{.part = 0, .layer = 3, .probe = "routing", .key = key}},
        .warnings = {"few tokens"}};
    ASSERT_TRUE(attempts_.Publish(*attempt, layer).ok());
    ASSERT_TRUE(attempts_.Finish(*attempt, {}).ok());
  }

  std::vector<int64_t> changed_;
  JobListener listener_ = [this](int64_t job) { changed_.push_back(job); };
  TemporaryDirectory directory_;
  std::unique_ptr<Database> database_ =
      *Database::Open(directory_.path() / "moeprobe.db");
  JobStore jobs_{database_.get(), listener_};
  JobQueue queue_{database_.get(), listener_};
  AttemptStore attempts_{database_.get(), listener_};
};

TEST_F(JobStoreTest, KeepsWhatItWasGiven) {
  NewJob job = SomeJob();
  job.warnings = {"beware"};
  const auto row = jobs_.Get(Create(job));
  ASSERT_TRUE(row.ok());
  EXPECT_EQ(row->spec, std::string("a\0b", 3));
  EXPECT_EQ(row->state, JobState::kQueued);
  EXPECT_EQ(row->layer_count, 1);
  EXPECT_THAT(row->warnings, ElementsAre("beware"));
  EXPECT_EQ(changed_, std::vector<int64_t>{row->id});
}

TEST_F(JobStoreTest, AnswersFromTheCacheAtOnce) {
  FillCache("key");
  const auto row = jobs_.Get(Create(SomeJob("key")));
  ASSERT_TRUE(row.ok());
  EXPECT_EQ(row->state, JobState::kSucceeded);
  EXPECT_TRUE(row->cached);
  EXPECT_FALSE(row->start_time.has_value());
  EXPECT_THAT(row->warnings, ElementsAre("baseline/: few tokens"));
  const auto events = jobs_.EventsAfter(row->id, 0, 100);
  ASSERT_EQ(events->size(), 4);
  EXPECT_EQ((*events)[1].text, "baseline/layer3/");
  EXPECT_EQ((*events)[3].state, JobState::kSucceeded);
}

TEST_F(JobStoreTest, QueuesAJobWhoseKeyIsNotCached) {
  FillCache("key");
  EXPECT_EQ(StateOf(Create(SomeJob("other"))), JobState::kQueued);
}

TEST_F(JobStoreTest, ReturnsTheEarlierJobForTheSameRequestId) {
  NewJob job = SomeJob();
  job.request_id = "id";
  job.request_digest = "d";
  const int64_t first = Create(job);
  EXPECT_EQ(Create(job), first);
  EXPECT_EQ(**jobs_.FindRequest("id", "d"), first);
  job.request_digest = "other";
  EXPECT_EQ(jobs_.Create(job).status().code(),
            absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(jobs_.List(100, 10)->size(), 1);
}

TEST_F(JobStoreTest, ListsFromNewToOld) {
  const int64_t a = Create(SomeJob());
  const int64_t b = Create(SomeJob());
  const int64_t c = Create(SomeJob());
  const auto page = jobs_.List(c, 1);
  ASSERT_EQ(page->size(), 1);
  EXPECT_EQ(page->front().id, b);
  EXPECT_EQ(jobs_.List(INT64_MAX, 10)->back().id, a);
}

TEST_F(JobStoreTest, CountsTheJobsAhead) {
  Create(SomeJob());
  Create(SomeJob());
  EXPECT_EQ(jobs_.Get(Create(SomeJob()))->queue_position, 2);
}

TEST_F(JobStoreTest, CancelsAQueuedJobAtOnceAndForGood) {
  const int64_t id = Create(SomeJob());
  ASSERT_TRUE(jobs_.Cancel(id).ok());
  const auto row = jobs_.Get(id);
  EXPECT_EQ(row->state, JobState::kCancelled);
  EXPECT_TRUE(row->end_time.has_value());
  EXPECT_EQ(row->failure->code, static_cast<int>(absl::StatusCode::kCancelled));
  ASSERT_TRUE(jobs_.Cancel(id).ok());
  EXPECT_EQ(jobs_.EventsAfter(id, 0, 100)->size(), 2);
}

TEST_F(JobStoreTest, AsksARunningJobToStop) {
  const int64_t id = Create(SomeJob());
  const auto attempt = queue_.Start(id, 1);
  ASSERT_TRUE(jobs_.Cancel(id).ok());
  EXPECT_EQ(StateOf(id), JobState::kCancelling);
  EXPECT_TRUE(*attempts_.Report(*attempt, "", 0, {}));
}

TEST_F(JobStoreTest, DeletesFinalJobsOnlyAndNeverReusesTheirIds) {
  const int64_t id = Create(SomeJob());
  EXPECT_EQ(jobs_.Remove(id).code(), absl::StatusCode::kFailedPrecondition);
  ASSERT_TRUE(jobs_.Cancel(id).ok());
  ASSERT_TRUE(jobs_.Remove(id).ok());
  EXPECT_EQ(jobs_.Get(id).status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(jobs_.EventsAfter(id, 0, 1).status().code(),
            absl::StatusCode::kNotFound);
  EXPECT_GT(Create(SomeJob()), id);
}

TEST_F(JobStoreTest, KeepsTheCacheOfADeletedJob) {
  FillCache("key");
  ASSERT_TRUE(jobs_.Remove(1).ok());
  EXPECT_EQ(StateOf(Create(SomeJob("key"))), JobState::kSucceeded);
}

TEST_F(JobStoreTest, SaysNotFoundForJobsThatNeverWere) {
  EXPECT_EQ(jobs_.Get(7).status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(jobs_.Cancel(7).code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(jobs_.Remove(7).code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(changed_, IsEmpty());
}

}  // namespace
}  // namespace moeprobe
