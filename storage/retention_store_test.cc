#include "storage/retention_store.h"

#include <gtest/gtest.h>
// After gtest.h, which it needs.
#include <rapidcheck/gtest.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "core/base/npy.h"
#include "core/base/sha256.h"
#include "gmock/gmock.h"
#include "storage/access.h"
#include "storage/attempt_store.h"
#include "storage/blob_store.h"
#include "storage/connection.h"
#include "storage/database.h"
#include "storage/integrity.h"
#include "storage/job.h"
#include "storage/job_queue.h"
#include "storage/job_store.h"
#include "storage/limits.h"
#include "storage/published_layer.h"
#include "storage/result_store.h"
#include "storage/statement.h"
#include "tests/testing/temporary_directory.h"

namespace moeprobe {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr int64_t kEverything = std::numeric_limits<int64_t>::max();

class RetentionStoreTest : public testing::Test {
 protected:
  // A job of `owner` whose groups, at layers 0, 1, ..., have these keys.
  NewJob JobOf(const std::string& owner, const std::vector<std::string>& keys) {
    NewJob job;
    job.access.owner = owner;
    job.request_key = absl::StrCat("request ", ++request_count_);
    job.parts = {{.prefix = ""}};
    for (const std::string& key : keys) {
      job.groups.push_back({.part = 0,
                            .layer = static_cast<int64_t>(job.groups.size()),
                            .probe = "routing",
                            .key = key});
    }
    return job;
  }

  // Creates it and computes what the cache lacks: `size` bytes a group.
  int64_t Run(const NewJob& job, int64_t size = 100) {
    const int64_t id = jobs_.Create(job)->job.id;
    if ((*jobs_.Get(ServerItself(), id)).state != JobState::kQueued) return id;
    const AttemptId attempt = *queue_.Start(id, 1);
    Publish(attempt, job.groups, size);
    EXPECT_TRUE(attempts_.Finish(attempt, {}).ok());
    return id;
  }

  // One array of `size` bytes a group; in the blob store where the key says so.
  void Publish(const AttemptId& attempt, const std::vector<NeededGroup>& groups,
               int64_t size) {
    PublishedLayer layer{.layer = 0,
                         .stamp = "stamp",
                         .weights_fingerprint = "weights",
                         .groups = {},
                         .needed = groups,
                         .warnings = {}};
    const std::string npy(static_cast<size_t>(size), 'x');
    for (const NeededGroup& group : groups) {
      NewArray array{.array = {.name = "layer/a",
                               .probe = "routing",
                               .data_type = DataType::kInt64,
                               .shape = {1},
                               .sha256 = Sha256Hex(group.key),
                               .size_bytes = size,
                               .summary = std::nullopt},
                     .npy = npy};
      if (absl::StartsWith(group.key, "blob")) array.npy.reset();
      layer.groups.push_back(
          {.probe = "routing", .key = group.key, .arrays = {array}});
    }
    ASSERT_TRUE(attempts_.Publish(attempt, layer).ok());
  }

  int64_t BytesOf(const std::string& owner) {
    Connection raw(file_.string());
    return QueryInteger(raw, "SELECT bytes FROM stored_bytes WHERE owner = ?1",
                        owner)
        .value_or(0);
  }

  std::vector<std::string> Miscounts() {
    Connection raw(file_.string());
    return FindMiscounts(raw);
  }

  void ReleaseAll() {
    while (*store_.Release()) {
    }
  }

  JobRow Row(int64_t job) { return *jobs_.Get(ServerItself(), job); }

  int request_count_ = 0;
  absl::Time now_ = absl::Now();
  std::function<absl::Time()> clock_ = [this] { return now_; };
  JobListener listener_ = [](int64_t) {};
  TemporaryDirectory directory_;
  std::filesystem::path file_ = directory_.path() / "moeprobe.db";
  std::unique_ptr<Database> database_ = *Database::Open(file_);
  BlobStore blobs_ = *BlobStore::Open(directory_.path() / "blobs");
  Limits limits_{.stored_bytes_per_user = 1000, .stored_bytes = 2000};
  JobStore jobs_{database_.get(), listener_, clock_, limits_};
  JobQueue queue_{database_.get(), listener_};
  AttemptStore attempts_{database_.get(), listener_};
  ResultStore results_{database_.get(), &blobs_};
  RetentionStore store_{database_.get(), listener_, clock_};
};

TEST_F(RetentionStoreTest, CountsWhatSeveralHaveForTheFirst) {
  Run(JobOf("ann", {"a", "b"}));
  Run(JobOf("bob", {"b", "c"}));
  EXPECT_EQ(BytesOf("ann"), 200);
  EXPECT_EQ(BytesOf("bob"), 100);
  EXPECT_EQ(*store_.Bytes(), 300);
  EXPECT_THAT(Miscounts(), IsEmpty());
}

TEST_F(RetentionStoreTest, PassesOnWhatADeletedJobAnsweredFor) {
  const int64_t first = Run(JobOf("ann", {"a", "b"}));
  const int64_t second = Run(JobOf("bob", {"b"}));
  ASSERT_TRUE(jobs_.Remove(ServerItself(), first).ok());
  EXPECT_EQ(BytesOf("ann"), 0);
  EXPECT_EQ(BytesOf("bob"), 100);
  EXPECT_EQ(BytesOf(""), 100);
  ASSERT_TRUE(jobs_.Remove(ServerItself(), second).ok());
  EXPECT_EQ(BytesOf("bob"), 0);
  EXPECT_EQ(*store_.Bytes(), 200);
  EXPECT_EQ(*store_.UnclaimedBytes(), 200);
  EXPECT_THAT(Miscounts(), IsEmpty());
}

TEST_F(RetentionStoreTest, LetsWhoAsksAgainAnswerForWhatTheCacheKept) {
  ASSERT_TRUE(jobs_.Remove(ServerItself(), Run(JobOf("ann", {"a"}))).ok());
  Run(JobOf("bob", {"a"}));
  EXPECT_EQ(BytesOf("bob"), 100);
  EXPECT_EQ(BytesOf(""), 0);
}

TEST_F(RetentionStoreTest, GivesBytesWithTheJobsOfBeforeThereWereUsers) {
  Run(JobOf("", {"a"}));
  ASSERT_TRUE(jobs_.Adopt("ann").ok());
  EXPECT_EQ(BytesOf("ann"), 100);
  EXPECT_THAT(Miscounts(), IsEmpty());
}

TEST_F(RetentionStoreTest, RefusesToComputeMoreThanAUserMayStore) {
  const int64_t job = Run(JobOf("ann", {"a"}), 1000);
  const auto refused = jobs_.Create(JobOf("ann", {"b"}));
  EXPECT_EQ(refused.status().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(std::string(refused.status().message()),
              HasSubstr("the results of ann take 1000 bytes, of at most 1000 "
                        "of one user (--max-stored-bytes-per-user); delete "
                        "jobs"));
  // What the cache answers takes nothing, others may, and room is room.
  EXPECT_TRUE(jobs_.Create(JobOf("ann", {"a"})).ok());
  EXPECT_TRUE(jobs_.Create(JobOf("bob", {"b"})).ok());
  ASSERT_TRUE(jobs_.Remove(ServerItself(), job).ok());
  EXPECT_FALSE(jobs_.Create(JobOf("ann", {"b"})).ok());  // has "a" once more
}

TEST_F(RetentionStoreTest, RefusesToComputeMoreThanAllMayStore) {
  Run(JobOf("ann", {"a"}), 999);
  Run(JobOf("bob", {"b"}), 1001);
  const auto refused = jobs_.Create(JobOf("eve", {"c"}));
  EXPECT_EQ(refused.status().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(std::string(refused.status().message()),
              HasSubstr("results take 2000 bytes, of at most 2000 "
                        "(--max-stored-bytes)"));
}

TEST_F(RetentionStoreTest, DropsTheOldestFirstAndSaysWhy) {
  const int64_t first = Run(JobOf("ann", {"a"}));
  const int64_t second = Run(JobOf("ann", {"b"}));
  EXPECT_EQ(*store_.DropOldest("no room"), first);
  const JobRow row = Row(first);
  ASSERT_TRUE(row.dropped);
  EXPECT_EQ(row.dropped->reason, "no room");
  EXPECT_EQ(absl::ToUnixMicros(row.dropped->time), absl::ToUnixMicros(now_));
  EXPECT_EQ(row.state, JobState::kSucceeded);
  ReleaseAll();
  EXPECT_THAT(*results_.Arrays(first), IsEmpty());
  EXPECT_EQ(BytesOf("ann"), 100);
  EXPECT_EQ(*store_.DropOldest("no room"), second);
  EXPECT_EQ(*store_.DropOldest("no room"), std::nullopt);
}

TEST_F(RetentionStoreTest, DropsByAgeWhatEndedAndIsNotKept) {
  const int64_t kept = Run(JobOf("ann", {"a"}));
  const int64_t job = Run(JobOf("ann", {"b"}));
  const int64_t younger = Run(JobOf("ann", {"d"}));
  const int64_t open = jobs_.Create(JobOf("ann", {"c"}))->job.id;
  ASSERT_TRUE(jobs_.SetKept(ServerItself(), kept, true).ok());
  const absl::Time later = absl::Now() + absl::Hours(1);
  EXPECT_EQ(*store_.DropEndedBy(absl::InfinitePast(), "old"), std::nullopt);
  EXPECT_EQ(*store_.DropEndedBy(later, "old"), job);
  EXPECT_EQ(*store_.DropEndedBy(later, "old"), younger);
  EXPECT_EQ(*store_.DropEndedBy(later, "old"), std::nullopt);
  EXPECT_FALSE(Row(kept).dropped);
  EXPECT_FALSE(Row(open).dropped);
  ASSERT_TRUE(jobs_.SetKept(ServerItself(), kept, false).ok());
  EXPECT_EQ(*store_.DropEndedBy(later, "old"), kept);
}

TEST_F(RetentionStoreTest, LeavesWhatAKeptJobHasToo) {
  const int64_t first = Run(JobOf("ann", {"a", "b"}));
  const int64_t kept = Run(JobOf("bob", {"b"}));
  ASSERT_TRUE(jobs_.SetKept(ServerItself(), kept, true).ok());
  EXPECT_EQ(*store_.DropOldest("no room"), first);
  ReleaseAll();
  const auto removed =
      store_.RemoveUnclaimed(absl::InfiniteFuture(), kEverything);
  EXPECT_EQ(removed->count, 1);
  EXPECT_EQ(removed->bytes, 100);
  EXPECT_EQ(results_.Arrays(kept)->size(), 1);
  EXPECT_EQ(BytesOf("bob"), 100);
  EXPECT_EQ(*store_.Bytes(), 100);
  EXPECT_EQ(*store_.DropOldest("no room"), std::nullopt);
  EXPECT_THAT(Miscounts(), IsEmpty());
}

TEST_F(RetentionStoreTest, DropsForRoomOnlyWhatMakesSome) {
  const int64_t kept = Run(JobOf("ann", {"a"}));
  Run(JobOf("bob", {"a"}));  // the other answers for it
  const int64_t last = Run(JobOf("bob", {"b"}));
  ASSERT_TRUE(jobs_.SetKept(ServerItself(), kept, true).ok());
  EXPECT_EQ(*store_.DropOldest("no room"), last);
  EXPECT_EQ(*store_.DropOldest("no room"), std::nullopt);
}

TEST_F(RetentionStoreTest, RemovesNoMoreThanAsked) {
  const int64_t job = Run(JobOf("ann", {"a", "b", "c"}));
  ASSERT_TRUE(jobs_.Remove(ServerItself(), job).ok());
  EXPECT_EQ(store_.RemoveUnclaimed(absl::InfinitePast(), 150)->count, 0);
  EXPECT_EQ(store_.RemoveUnclaimed(absl::InfiniteFuture(), 0)->count, 0);
  EXPECT_EQ(store_.RemoveUnclaimed(absl::InfiniteFuture(), 150)->count, 2);
  EXPECT_EQ(*store_.Bytes(), 100);
}

TEST_F(RetentionStoreTest, NamesTheBlobsOfWhatItRemoved) {
  const int64_t job = Run(JobOf("ann", {"blob a", "b"}));
  const std::string sha256 = Sha256Hex("blob a");
  EXPECT_TRUE(*store_.HasBlob(sha256));
  ASSERT_TRUE(jobs_.Remove(ServerItself(), job).ok());
  const auto removed =
      store_.RemoveUnclaimed(absl::InfiniteFuture(), kEverything);
  EXPECT_THAT(removed->blobs, ElementsAre(sha256));
  EXPECT_FALSE(*store_.HasBlob(sha256));
}

TEST_F(RetentionStoreTest, LetsGoOfALongJobInSteps) {
  const std::vector<std::string> keys = [] {
    std::vector<std::string> names;
    for (int i = 0; i < 2 * RetentionStore::kStep + 1; ++i) {
      names.push_back(absl::StrCat("key ", i));
    }
    return names;
  }();
  const int64_t job = Run(JobOf("ann", keys), 1);
  EXPECT_EQ(*store_.DropOldest("no room"), job);
  EXPECT_TRUE(*store_.Release());
  EXPECT_EQ(results_.Arrays(job)->size(), RetentionStore::kStep + 1);
  // Another process goes on where this one ended.
  RetentionStore other(database_.get(), listener_);
  EXPECT_TRUE(*other.Release());
  EXPECT_TRUE(*other.Release());
  EXPECT_FALSE(*other.Release());
  EXPECT_THAT(*results_.Arrays(job), IsEmpty());
  EXPECT_EQ(BytesOf(""), 2 * RetentionStore::kStep + 1);
}

TEST_F(RetentionStoreTest, ComputesAgainWhatWasDropped) {
  const int64_t first = Run(JobOf("ann", {"a"}));
  EXPECT_EQ(*store_.DropOldest("no room"), first);
  ReleaseAll();
  ASSERT_TRUE(store_.RemoveUnclaimed(absl::InfiniteFuture(), kEverything).ok());
  const int64_t again = Run(JobOf("ann", {"a"}));
  EXPECT_FALSE(Row(again).cached);
  EXPECT_EQ(results_.Arrays(again)->size(), 1);
}

TEST_F(RetentionStoreTest, KeepsOnlyWhatThereIsAndWithinTheLimit) {
  const int64_t job = Run(JobOf("ann", {"a"}), 1001);
  const Viewer bob{.name = "bob"};
  EXPECT_EQ(jobs_.SetKept(bob, job, true).code(),
            absl::StatusCode::kPermissionDenied);
  EXPECT_EQ(jobs_.SetKept(bob, job + 1, true).code(),
            absl::StatusCode::kNotFound);
  EXPECT_EQ(jobs_.SetKept(ServerItself(), job, true).code(),
            absl::StatusCode::kResourceExhausted);
  EXPECT_TRUE(jobs_.SetKept(ServerItself(), job, false).ok());
  EXPECT_EQ(*store_.DropOldest("no room"), job);
  const absl::Status dropped = jobs_.SetKept(ServerItself(), job, true);
  EXPECT_EQ(dropped.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(dropped.message()), HasSubstr("no room"));
}

TEST_F(RetentionStoreTest, CountsModelsForTheJobThatTrainedThem) {
  NewJob training = JobOf("ann", {"a"});
  training.runs = {"run1", "run2"};
  NewJob analysis = JobOf("bob", {"b"});
  analysis.runs = {"run2"};
  const int64_t first = Run(training);
  Run(analysis);
  ASSERT_TRUE(store_.SetRunBytes("run1", 30).ok());
  ASSERT_TRUE(store_.SetRunBytes("run2", 50).ok());
  EXPECT_EQ(BytesOf("ann"), 180);
  EXPECT_EQ(BytesOf("bob"), 100);
  EXPECT_THAT(*store_.UnclaimedRuns(), IsEmpty());
  ASSERT_TRUE(jobs_.Remove(ServerItself(), first).ok());
  EXPECT_EQ(BytesOf("bob"), 150);
  EXPECT_THAT(*store_.UnclaimedRuns(), ElementsAre("run1"));
  ASSERT_TRUE(store_.ForgetRun("run1").ok());
  ASSERT_TRUE(store_.ForgetRun("run2").ok());  // a job has it
  EXPECT_THAT(*store_.Runs(), ElementsAre("run2"));
  EXPECT_EQ(*store_.Bytes(), 250);
  EXPECT_THAT(Miscounts(), IsEmpty());
}

TEST_F(RetentionStoreTest, NotesTheRunsOfOlderJobs) {
  NewJob job = JobOf("ann", {"a"});
  job.kind = JobKind::kTrain;
  const int64_t id = Run(job);
  ASSERT_EQ(store_.JobsWithoutRuns()->size(), 1);
  ASSERT_TRUE(store_.AddRuns(id, {"run"}).ok());
  EXPECT_THAT(*store_.JobsWithoutRuns(), IsEmpty());
  EXPECT_EQ(store_.AddRuns(id + 1, {"run"}).code(),
            absl::StatusCode::kNotFound);
}

// Whatever happens in whatever order, the sums are those of the rows, and no
// job misses what it has.
RC_GTEST_FIXTURE_PROP(RetentionStoreTest, NeverMiscounts, ()) {
  std::vector<int64_t> jobs;
  const int steps = *rc::gen::inRange(1, 9);
  for (int step = 0; step < steps; ++step) {
    const int64_t some =
        jobs.empty() ? 0 : jobs[*rc::gen::inRange<size_t>(0, jobs.size())];
    switch (*rc::gen::inRange(0, 7)) {
      case 0:
      case 1: {
        NewJob job = JobOf(*rc::gen::element<std::string>("ann", "bob"),
                           *rc::gen::nonEmpty(rc::gen::resize(
                               4, rc::gen::container<std::vector<std::string>>(
                                      rc::gen::element<std::string>(
                                          "a", "b", "c", "blob d")))));
        job.runs = {*rc::gen::element<std::string>("run1", "run2")};
        const auto created = jobs_.Create(job);
        if (!created.ok()) break;
        jobs.push_back(created->job.id);
        if (created->is_cached()) break;
        const AttemptId attempt = *queue_.Start(created->job.id, 1);
        std::vector<NeededGroup> groups = job.groups;
        if (*rc::gen::inRange(0, 4) == 0) groups.pop_back();
        Publish(attempt, groups, *rc::gen::inRange(1, 300));
        RC_ASSERT(attempts_.Finish(attempt, {}).ok());
        break;
      }
      case 2:
        (void)jobs_.Remove(ServerItself(), some);
        break;
      case 3:
        (void)jobs_.SetKept(ServerItself(), some, *rc::gen::arbitrary<bool>());
        break;
      case 4:
        RC_ASSERT(store_.DropOldest("no room").ok());
        break;
      case 5:
        RC_ASSERT(store_.Release().ok());
        RC_ASSERT(store_
                      .RemoveUnclaimed(absl::InfiniteFuture(),
                                       *rc::gen::inRange(0, 500))
                      .ok());
        break;
      default:
        RC_ASSERT(
            store_
                .SetRunBytes(*rc::gen::element<std::string>("run1", "run2"),
                             *rc::gen::inRange(0, 500))
                .ok());
        RC_ASSERT(store_.ForgetRun("run1").ok());
    }
    RC_ASSERT(Miscounts() == std::vector<std::string>{});
    for (const int64_t job : jobs) {
      const auto row = jobs_.Get(ServerItself(), job);
      if (!row.ok() || row->dropped || row->state != JobState::kSucceeded) {
        continue;
      }
      RC_ASSERT(results_.Arrays(job)->size() > 0);
    }
  }
}

}  // namespace
}  // namespace moeprobe
