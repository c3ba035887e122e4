#include "storage/job_store.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "storage/access.h"
#include "storage/attempt_store.h"
#include "storage/database.h"
#include "storage/job.h"
#include "storage/job_queue.h"
#include "storage/limits.h"
#include "tests/testing/temporary_directory.h"

namespace moeprobe {
namespace {

using testing::Contains;
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
    const auto created = jobs_.Create(job);
    EXPECT_TRUE(created.ok()) << created.status();
    return created.value_or(CreatedJob()).job.id;
  }

  JobState StateOf(int64_t id) {
    const auto row = jobs_.Get(ServerItself(), id);
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
  const auto row = jobs_.Get(ServerItself(), Create(job));
  ASSERT_TRUE(row.ok());
  EXPECT_EQ(row->spec, std::string("a\0b", 3));
  EXPECT_EQ(row->state, JobState::kQueued);
  EXPECT_EQ(row->layer_count, 1);
  EXPECT_THAT(row->warnings, ElementsAre("beware"));
  EXPECT_EQ(changed_, std::vector<int64_t>{row->id});
}

// Layers that stand apart in the request, a group that is of no layer, and
// several groups of one.
TEST_F(JobStoreTest, NeedsEveryGroupThatItWasGiven) {
  NewJob job = SomeJob();
  job.parts = {{.prefix = "a/"}, {.prefix = "b/"}};
  const std::vector<std::pair<int, std::string>> given = {{3, "routing"},
                                                          {3, "jacobian/all"},
                                                          {-1, "nll"},
                                                          {0, "routing"},
                                                          {3, "pca"}};
  job.groups.clear();
  for (const int part : {1, 0}) {
    for (const auto& [layer, probe] : given) {
      job.groups.push_back(
          {.part = part, .layer = layer, .probe = probe, .key = ""});
    }
  }
  const auto groups = queue_.MissingGroups(Create(job));
  ASSERT_TRUE(groups.ok());
  std::vector<std::string> missing;
  for (const NeededGroup& group : *groups) {
    missing.push_back(
        absl::StrCat(group.part, " ", group.layer, " ", group.probe));
  }
  EXPECT_THAT(missing,
              ElementsAre("0 -1 nll", "0 0 routing", "0 3 jacobian/all",
                          "0 3 pca", "0 3 routing", "1 -1 nll", "1 0 routing",
                          "1 3 jacobian/all", "1 3 pca", "1 3 routing"));
}

TEST_F(JobStoreTest, AnswersFromTheCacheAtOnce) {
  FillCache("key");
  const auto row = jobs_.Get(ServerItself(), Create(SomeJob("key")));
  ASSERT_TRUE(row.ok());
  EXPECT_EQ(row->state, JobState::kSucceeded);
  EXPECT_TRUE(row->cached);
  EXPECT_FALSE(row->start_time.has_value());
  EXPECT_THAT(row->warnings, ElementsAre("baseline/: few tokens"));
  const auto followed = jobs_.Follow(ServerItself(), row->id, 0, 100);
  EXPECT_EQ(followed->job.state, JobState::kSucceeded);
  ASSERT_EQ(followed->events.size(), 4);
  EXPECT_EQ(followed->events[1].text, "baseline/layer3/");
  EXPECT_EQ(followed->events[3].state, JobState::kSucceeded);
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
  EXPECT_EQ(**jobs_.FindRequest("", "id", "d"), first);
  job.request_digest = "other";
  EXPECT_EQ(jobs_.Create(job).status().code(),
            absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(jobs_.List(ServerItself(), 100, 10)->size(), 1);
}

TEST_F(JobStoreTest, SaysWhetherItMadeAJobAndWhetherTheCacheAnsweredIt) {
  FillCache("key");
  for (const bool is_cached : {false, true}) {
    NewJob job = SomeJob(is_cached ? "key" : "other");
    job.request_id = is_cached ? "a" : "b";
    const auto first = jobs_.Create(job);
    EXPECT_TRUE(first->is_new);
    EXPECT_EQ(first->is_cached(), is_cached);
    const auto again = jobs_.Create(job);
    EXPECT_EQ(again->job.id, first->job.id);
    EXPECT_FALSE(again->is_new);
    EXPECT_FALSE(again->is_cached());
  }
}

TEST_F(JobStoreTest, ReturnsTheJobAsItIsStored) {
  FillCache("key");
  for (const std::string key : {"key", "other"}) {
    NewJob job = SomeJob(key);
    job.access.is_private = true;
    job.access.readers = {"carol"};
    job.warnings = {"beware"};
    const JobRow created = jobs_.Create(job)->job;
    const auto stored = jobs_.Get(ServerItself(), created.id);
    EXPECT_EQ(created.state, stored->state);
    EXPECT_EQ(created.cached, stored->cached);
    EXPECT_EQ(created.create_time, stored->create_time);
    EXPECT_EQ(created.end_time, stored->end_time);
    EXPECT_EQ(created.layers_done, stored->layers_done);
    EXPECT_EQ(created.access.readers, stored->access.readers);
    EXPECT_EQ(created.warnings, stored->warnings);
    EXPECT_THAT(created.warnings, Contains("beware"));
  }
}

TEST_F(JobStoreTest, ListsFromNewToOld) {
  const int64_t a = Create(SomeJob());
  const int64_t b = Create(SomeJob());
  const int64_t c = Create(SomeJob());
  const auto page = jobs_.List(ServerItself(), c, 1);
  ASSERT_EQ(page->size(), 1);
  EXPECT_EQ(page->front().id, b);
  EXPECT_EQ(jobs_.List(ServerItself(), INT64_MAX, 10)->back().id, a);
}

// Jobs of alice: one for the lab, one for herself, one for carol, too.
class SharedJobsTest : public JobStoreTest {
 protected:
  int64_t CreateAs(const Access& access) {
    NewJob job = SomeJob();
    job.access = access;
    return Create(job);
  }

  std::vector<int64_t> Listed(const Viewer& viewer) {
    std::vector<int64_t> ids;
    const auto rows = jobs_.List(viewer, INT64_MAX, 10);
    for (const JobRow& row : *rows) ids.push_back(row.id);
    return ids;
  }

  const Viewer alice_{.name = "alice"};
  const Viewer bob_{.name = "bob"};
  const Viewer carol_{.name = "carol"};
  const int64_t lab_ = CreateAs({.owner = "alice"});
  const int64_t own_ = CreateAs({.owner = "alice", .is_private = true});
  const int64_t shared_ =
      CreateAs({.owner = "alice", .is_private = true, .readers = {"carol"}});
};

TEST_F(SharedJobsTest, ShowsWhatIsForTheViewer) {
  EXPECT_THAT(Listed(alice_), ElementsAre(shared_, own_, lab_));
  EXPECT_THAT(Listed(ServerItself()), ElementsAre(shared_, own_, lab_));
  EXPECT_THAT(Listed(carol_), ElementsAre(shared_, lab_));
  EXPECT_THAT(Listed(bob_), ElementsAre(lab_));
  for (const Viewer& viewer : {alice_, bob_, carol_, ServerItself()}) {
    std::vector<int64_t> seen;
    for (const int64_t id : {shared_, own_, lab_}) {
      const bool there = jobs_.Get(viewer, id).ok();
      EXPECT_EQ(jobs_.Follow(viewer, id, 0, 1).ok(), there);
      if (there) seen.push_back(id);
    }
    EXPECT_EQ(seen, Listed(viewer)) << viewer.name;
  }
  EXPECT_THAT(jobs_.Get(carol_, shared_)->access.readers, ElementsAre("carol"));
}

TEST_F(SharedJobsTest, SaysOfHiddenJobsWhatItSaysOfNone) {
  const absl::Status none = absl::NotFoundError("there is no job 2");
  ASSERT_EQ(own_, 2);
  EXPECT_EQ(jobs_.Get(bob_, own_).status(), none);
  EXPECT_EQ(jobs_.Follow(bob_, own_, 0, 1).status(), none);
  EXPECT_EQ(jobs_.Cancel(bob_, own_).status(), none);
  EXPECT_EQ(jobs_.Remove(bob_, own_), none);
  EXPECT_EQ(StateOf(own_), JobState::kQueued);
}

TEST_F(SharedJobsTest, ShowsRunsOfJobsThatAreForTheViewer) {
  const auto create = [&](const Access& access, const std::string& run) {
    NewJob job = SomeJob();
    job.access = access;
    job.runs = {run};
    return Create(job);
  };
  const Access hidden = {
      .owner = "alice", .is_private = true, .readers = {"carol"}};
  create(hidden, "hidden");
  create(hidden, "common");
  const int64_t analysis = create({.owner = "bob"}, "common");
  for (const Viewer& viewer : {alice_, carol_, ServerItself()}) {
    EXPECT_TRUE(jobs_.HasRun(viewer, "hidden").value()) << viewer.name;
    EXPECT_TRUE(jobs_.HasRun(viewer, "common").value()) << viewer.name;
    EXPECT_FALSE(jobs_.HasRun(viewer, "absent").value()) << viewer.name;
  }
  EXPECT_FALSE(jobs_.HasRun(bob_, "hidden").value());
  EXPECT_TRUE(jobs_.HasRun(bob_, "common").value());
  ASSERT_TRUE(jobs_.Cancel(bob_, analysis).ok());
  ASSERT_TRUE(jobs_.Remove(bob_, analysis).ok());
  EXPECT_FALSE(jobs_.HasRun(bob_, "common").value());
}

TEST_F(SharedJobsTest, LetsOwnersAndAdminsAloneChangeJobs) {
  for (const int64_t id : {lab_, shared_}) {
    EXPECT_EQ(jobs_.Cancel(carol_, id).status().code(),
              absl::StatusCode::kPermissionDenied);
    EXPECT_EQ(StateOf(id), JobState::kQueued);
  }
  EXPECT_TRUE(jobs_.Cancel(alice_, lab_).ok());
  EXPECT_EQ(jobs_.Remove(carol_, lab_).code(),
            absl::StatusCode::kPermissionDenied);
  EXPECT_TRUE(jobs_.Remove(alice_, lab_).ok());
  EXPECT_TRUE(jobs_.Cancel(ServerItself(), own_).ok());
}

TEST_F(SharedJobsTest, KeepsRequestIdsOfUsersApart) {
  NewJob job = SomeJob();
  job.request_id = "id";
  job.request_digest = "d";
  job.access.owner = "alice";
  const int64_t hers = Create(job);
  job.access.owner = "bob";
  job.request_digest = "e";
  EXPECT_FALSE(jobs_.FindRequest("bob", "id", "e")->has_value());
  const int64_t his = Create(job);
  EXPECT_NE(his, hers);
  EXPECT_EQ(**jobs_.FindRequest("alice", "id", "d"), hers);
  EXPECT_EQ(**jobs_.FindRequest("bob", "id", "e"), his);
}

TEST_F(SharedJobsTest, GivesWhatNobodyOwnsToTheServersUser) {
  const int64_t id = CreateAs({.owner = ""});
  ASSERT_TRUE(jobs_.Adopt("carol").ok());
  EXPECT_EQ(jobs_.Get(bob_, id)->access.owner, "carol");
  EXPECT_EQ(jobs_.Get(bob_, lab_)->access.owner, "alice");
}

TEST_F(JobStoreTest, KeepsAnEstimateOfWhatAWorkerHasToDo) {
  FillCache("key");
  NewJob job = SomeJob();
  job.needs = {.seconds = 1.5, .memory_bytes = 7};
  const JobNeeds kept = jobs_.Get(ServerItself(), Create(job))->needs;
  EXPECT_EQ(kept.seconds, 1.5);
  EXPECT_EQ(kept.memory_bytes, 7);
  job = SomeJob("key");
  // Nothing, but for a worker's start.
  job.needs = {.seconds = 0.1, .memory_bytes = 1};
  const JobNeeds of_cached = jobs_.Get(ServerItself(), Create(job))->needs;
  EXPECT_FALSE(of_cached.seconds);
  EXPECT_FALSE(of_cached.memory_bytes);
}

class LimitedJobsTest : public JobStoreTest {
 protected:
  absl::StatusOr<CreatedJob> CreateFor(const std::string& owner,
                                       const std::string& request_id = "",
                                       const std::string& key = "") {
    NewJob job = SomeJob(key);
    job.access.owner = owner;
    job.request_id = request_id;
    return limited_.Create(job);
  }

  JobStore limited_{database_.get(), listener_, absl::Now,
                    Limits{.queued_jobs_per_user = 2, .queued_jobs = 3}};
};

TEST_F(LimitedJobsTest, RefusesMoreThanAUserMayQueue) {
  const auto first = CreateFor("alice", "id");
  ASSERT_TRUE(first.ok()) << first.status();
  ASSERT_TRUE(CreateFor("alice").ok());
  const absl::Status refused = CreateFor("alice").status();
  EXPECT_TRUE(absl::IsResourceExhausted(refused));
  EXPECT_EQ(refused.message(),
            "alice has 2 queued jobs, of at most 2 of one user "
            "(--max-queued-per-user); wait until a worker has taken one, or "
            "cancel some");
  EXPECT_EQ(limited_.List(ServerItself(), INT64_MAX, 10)->size(), 2);
  EXPECT_EQ(CreateFor("alice", "id")->job.id, first->job.id);
  EXPECT_TRUE(CreateFor("bob").ok());
}

TEST_F(LimitedJobsTest, RefusesMoreThanFitIntoTheQueue) {
  for (const char* user : {"alice", "bob", "carol"}) {
    ASSERT_TRUE(CreateFor(user).ok());
  }
  const absl::Status refused = CreateFor("dave").status();
  EXPECT_TRUE(absl::IsResourceExhausted(refused));
  EXPECT_THAT(std::string(refused.message()),
              testing::HasSubstr("3 queued jobs, of at most 3 (--max-queued)"));
}

TEST_F(LimitedJobsTest, HasRoomAgainWhenAJobHasLeftTheQueue) {
  const auto first = CreateFor("alice");
  const auto second = CreateFor("alice");
  ASSERT_FALSE(CreateFor("alice").ok());
  const auto attempt = queue_.Start(first->job.id, 1);
  ASSERT_TRUE(CreateFor("alice").ok());
  ASSERT_FALSE(CreateFor("alice").ok());
  ASSERT_TRUE(limited_.Cancel(ServerItself(), second->job.id).ok());
  ASSERT_TRUE(CreateFor("alice").ok());
  // What comes back is there, and counts.
  ASSERT_TRUE(attempts_.WorkerDied(1, "", 3).ok());
  const absl::Status refused = CreateFor("alice").status();
  EXPECT_THAT(std::string(refused.message()),
              testing::HasSubstr("alice has 3 queued jobs"));
}

TEST_F(LimitedJobsTest, AnswersFromTheCacheHoweverManyWait) {
  FillCache("key");
  ASSERT_TRUE(CreateFor("alice").ok());
  ASSERT_TRUE(CreateFor("alice").ok());
  const auto answered = CreateFor("alice", "", "key");
  ASSERT_TRUE(answered.ok()) << answered.status();
  EXPECT_EQ(StateOf(answered->job.id), JobState::kSucceeded);
}

TEST_F(LimitedJobsTest, CountsWhatChangesHands) {
  ASSERT_TRUE(CreateFor("").ok());
  ASSERT_TRUE(CreateFor("").ok());
  ASSERT_TRUE(jobs_.Adopt("alice").ok());
  EXPECT_FALSE(CreateFor("alice").ok());
  EXPECT_TRUE(CreateFor("").ok());
}

TEST_F(JobStoreTest, CancelsAQueuedJobAtOnceAndForGood) {
  const int64_t id = Create(SomeJob());
  EXPECT_EQ(*jobs_.Cancel(ServerItself(), id), JobState::kCancelled);
  const auto row = jobs_.Get(ServerItself(), id);
  EXPECT_EQ(row->state, JobState::kCancelled);
  EXPECT_TRUE(row->end_time.has_value());
  EXPECT_EQ(row->failure->code, static_cast<int>(absl::StatusCode::kCancelled));
  EXPECT_EQ(*jobs_.Cancel(ServerItself(), id), std::nullopt);
  EXPECT_EQ(jobs_.Follow(ServerItself(), id, 0, 100)->events.size(), 2);
}

TEST_F(JobStoreTest, AsksARunningJobToStop) {
  const int64_t id = Create(SomeJob());
  const auto attempt = queue_.Start(id, 1);
  EXPECT_EQ(*jobs_.Cancel(ServerItself(), id), JobState::kCancelling);
  EXPECT_EQ(*jobs_.Cancel(ServerItself(), id), std::nullopt);
  EXPECT_EQ(StateOf(id), JobState::kCancelling);
  EXPECT_TRUE(*attempts_.Report(*attempt, "", 0, {}));
}

TEST_F(JobStoreTest, DeletesFinalJobsOnlyAndNeverReusesTheirIds) {
  const int64_t id = Create(SomeJob());
  EXPECT_EQ(jobs_.Remove(ServerItself(), id).code(),
            absl::StatusCode::kFailedPrecondition);
  ASSERT_TRUE(jobs_.Cancel(ServerItself(), id).ok());
  ASSERT_TRUE(jobs_.Remove(ServerItself(), id).ok());
  EXPECT_EQ(jobs_.Get(ServerItself(), id).status().code(),
            absl::StatusCode::kNotFound);
  EXPECT_EQ(jobs_.Follow(ServerItself(), id, 0, 1).status().code(),
            absl::StatusCode::kNotFound);
  EXPECT_GT(Create(SomeJob()), id);
}

TEST_F(JobStoreTest, KeepsTheCacheOfADeletedJob) {
  FillCache("key");
  ASSERT_TRUE(jobs_.Remove(ServerItself(), 1).ok());
  EXPECT_EQ(StateOf(Create(SomeJob("key"))), JobState::kSucceeded);
}

TEST_F(JobStoreTest, SaysNotFoundForJobsThatNeverWere) {
  EXPECT_EQ(jobs_.Get(ServerItself(), 7).status().code(),
            absl::StatusCode::kNotFound);
  EXPECT_EQ(jobs_.Cancel(ServerItself(), 7).status().code(),
            absl::StatusCode::kNotFound);
  EXPECT_EQ(jobs_.Remove(ServerItself(), 7).code(),
            absl::StatusCode::kNotFound);
  EXPECT_THAT(changed_, IsEmpty());
}

}  // namespace
}  // namespace moeprobe
