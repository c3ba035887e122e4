#include "storage/attempt_store.h"

#include <cmath>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/base/npy.h"
#include "core/base/sha256.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "storage/access.h"
#include "storage/blob_store.h"
#include "storage/database.h"
#include "storage/fingerprint_store.h"
#include "storage/job.h"
#include "storage/job_queue.h"
#include "storage/job_store.h"
#include "storage/published_layer.h"
#include "storage/result_store.h"
#include "tests/testing/temporary_directory.h"

namespace moeprobe {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr int kMaxCrashCount = 3;
constexpr int64_t kWorker = 4711;

NewArray MakeArray(const std::string& name, const std::string& npy) {
  return {.array = {.name = name,
                    .probe = "routing",
                    .data_type = DataType::kInt64,
                    .shape = {2, 3},
                    .sha256 = Sha256Hex(npy),
                    .size_bytes = static_cast<int64_t>(npy.size()),
                    .summary = std::nullopt},
          .npy = npy};
}

class AttemptStoreTest : public testing::Test {
 protected:
  // A job that needs one group at each of two layers.
  int64_t Create(const std::string& request_key) {
    NewJob job;
    job.request_key = request_key;
    job.parts = {{.prefix = ""}};
    job.groups = {{.part = 0, .layer = 0, .probe = "routing", .key = ""},
                  {.part = 0, .layer = 1, .probe = "routing", .key = ""}};
    return jobs_.Create(job)->job.id;
  }

  AttemptId Start(int64_t job, int64_t worker = kWorker) {
    const auto attempt = queue_.Start(job, worker);
    EXPECT_TRUE(attempt.ok()) << attempt.status();
    return attempt.value_or(AttemptId{});
  }

  PublishedLayer Layer(int64_t layer, std::vector<NewArray> arrays = {}) {
    const std::string key = "key" + std::to_string(layer);
    return {
        .layer = layer,
        .stamp = "stamp",
        .weights_fingerprint = "weights",
        .groups = {{.probe = "routing",
                    .key = key,
                    .arrays = std::move(arrays)}},
        .needed = {{.part = 0, .layer = layer, .probe = "routing", .key = key}},
        .warnings = {}};
  }

  JobRow Row(int64_t job) { return *jobs_.Get(ServerItself(), job); }

  // Events of one kind, as their texts.
  std::vector<std::string> Texts(int64_t job, JobEventRow::Kind kind) {
    std::vector<std::string> texts;
    const auto followed = jobs_.Follow(ServerItself(), job, 0, 10000);
    for (const JobEventRow& event : followed->events) {
      if (event.kind == kind) texts.push_back(event.text);
    }
    return texts;
  }

  void Crash(int64_t job) {
    Start(job);
    ASSERT_TRUE(attempts_.WorkerDied(kWorker, "died", kMaxCrashCount).ok());
  }

  int told_ = 0;
  JobListener listener_ = [this](int64_t) { ++told_; };
  absl::StatusOr<std::string> NpyOf(int64_t job, const JobArray& array) {
    std::string npy;
    const absl::Status read =
        results_.ReadNpy(job, array, [&](std::string_view piece) {
          npy += piece;
          return absl::OkStatus();
        });
    if (!read.ok()) return read;
    return npy;
  }

  TemporaryDirectory directory_;
  std::unique_ptr<Database> database_ =
      *Database::Open(directory_.path() / "moeprobe.db");
  BlobStore blobs_ = *BlobStore::Open(directory_.path() / "blobs");
  JobStore jobs_{database_.get(), listener_};
  JobQueue queue_{database_.get(), listener_};
  AttemptStore attempts_{database_.get(), listener_};
  ResultStore results_{database_.get(), &blobs_};
};

TEST_F(AttemptStoreTest, GivesTheOldestJobToOneWorkerOnly) {
  const int64_t job = Create("a");
  Create("b");
  EXPECT_EQ((*queue_.NextQueued())->id, job);
  Start(job);
  EXPECT_EQ(queue_.Start(job, 8).status().code(), absl::StatusCode::kAborted);
  EXPECT_EQ((*queue_.NextQueued())->request_key, "b");
}

TEST_F(AttemptStoreTest, HoldsAJobBackWhileItsLikeRuns) {
  const int64_t first = Create("same");
  const int64_t second = Create("same");
  const AttemptId attempt = Start(first);
  EXPECT_FALSE(queue_.NextQueued()->has_value());
  ASSERT_EQ(queue_.QueuedLike("same")->size(), 1);
  ASSERT_TRUE(attempts_.Publish(attempt, Layer(0)).ok());
  ASSERT_TRUE(attempts_.Publish(attempt, Layer(1)).ok());
  ASSERT_TRUE(attempts_.Finish(attempt, {}).ok());
  EXPECT_EQ((*queue_.NextQueued())->id, second);
  const std::vector<NeededGroup> groups = {
      {.part = 0, .layer = 0, .probe = "routing", .key = "key0"},
      {.part = 0, .layer = 1, .probe = "routing", .key = "key1"}};
  EXPECT_TRUE(*queue_.AnswerFromCache(second, groups, {}));
  EXPECT_TRUE(Row(second).cached);
}

TEST_F(AttemptStoreTest, TellsOnlyWhatIsNewOfAnAnswerFromTheCache) {
  const AttemptId attempt = Start(Create("first"));
  ASSERT_TRUE(attempts_.Publish(attempt, Layer(0)).ok());
  const int64_t job = Create("second");
  const std::vector<NeededGroup> groups = {
      {.part = 0, .layer = 0, .probe = "routing", .key = "key0"},
      {.part = 0, .layer = 1, .probe = "routing", .key = "key1"}};
  const auto told_of_answer = [&](const std::string& provenance) {
    const int before = told_;
    EXPECT_FALSE(*queue_.AnswerFromCache(job, groups, {{0, provenance}}));
    return told_ - before;
  };
  EXPECT_EQ(told_of_answer("here"), 1);
  EXPECT_EQ(told_of_answer("here"), 0);
  EXPECT_EQ(told_of_answer("there"), 1);
  ASSERT_TRUE(attempts_.Publish(attempt, Layer(1)).ok());
  EXPECT_TRUE(*queue_.AnswerFromCache(job, groups, {}));
}

TEST_F(AttemptStoreTest, PublishesALayerWithItsArraysOnceForAll) {
  const int64_t job = Create("a");
  const AttemptId attempt = Start(job);
  const std::string npy("\x93NUMPY\0bytes", 12);
  ASSERT_TRUE(
      attempts_.Publish(attempt, Layer(0, {MakeArray("layer0/x", npy)})).ok());
  ASSERT_TRUE(
      attempts_.Publish(attempt, Layer(0, {MakeArray("layer0/x", "later")}))
          .ok());
  const auto arrays = results_.Arrays(job);
  ASSERT_TRUE(arrays.ok()) << arrays.status();
  ASSERT_EQ(arrays->size(), 1);
  EXPECT_THAT(arrays->front().array.shape, ElementsAre(2, 3));
  EXPECT_EQ(*NpyOf(job, arrays->front()), npy);
  EXPECT_EQ(Row(job).layers_done, 1);
  EXPECT_EQ(FingerprintStore(database_.get()).Weights("stamp")->at(0),
            "weights");
}

TEST_F(AttemptStoreTest, KeepsNansOfSummaries) {
  const int64_t job = Create("a");
  NewArray array = MakeArray("layer0/x", "bytes");
  const double nan = std::numeric_limits<double>::quiet_NaN();
  array.array.summary = ArraySummary{.mean = nan, .deviation = nan, .count = 0};
  ASSERT_TRUE(attempts_.Publish(Start(job), Layer(0, {array})).ok());
  const auto arrays = results_.Arrays(job);
  ASSERT_TRUE(arrays->front().array.summary.has_value());
  EXPECT_TRUE(std::isnan(arrays->front().array.summary->mean));
}

TEST_F(AttemptStoreTest, NoticesArraysThatWereChangedOnDisk) {
  const int64_t job = Create("a");
  NewArray array = MakeArray("layer0/x", "bytes");
  ASSERT_TRUE(blobs_.Put(*array.npy).ok());
  array.npy.reset();
  ASSERT_TRUE(attempts_.Publish(Start(job), Layer(0, {array})).ok());
  const JobArray stored = results_.Arrays(job)->front();
  EXPECT_EQ(*NpyOf(job, stored), "bytes");
  std::filesystem::remove(blobs_.PathOf(stored.array.sha256));
  EXPECT_EQ(NpyOf(job, stored).status().code(), absl::StatusCode::kDataLoss);
}

TEST_F(AttemptStoreTest, FailsAJobThatFinishesWithoutAllItsGroups) {
  const int64_t job = Create("a");
  const AttemptId attempt = Start(job);
  ASSERT_TRUE(attempts_.Publish(attempt, Layer(0)).ok());
  EXPECT_EQ(*attempts_.Finish(attempt, {}), JobState::kFailed);
  EXPECT_THAT(Row(job).failure->message, HasSubstr("layer1 routing"));
}

TEST_F(AttemptStoreTest, RefusesAnAttemptThatIsOver) {
  const int64_t job = Create("a");
  const AttemptId first = Start(job);
  ASSERT_TRUE(attempts_.WorkerDied(kWorker, "died", kMaxCrashCount).ok());
  const AttemptId second = Start(job, 8);
  EXPECT_EQ(second.attempt, first.attempt + 1);
  EXPECT_TRUE(absl::IsAborted(attempts_.Publish(first, Layer(0))));
  EXPECT_TRUE(absl::IsAborted(attempts_.Report(first, "", 0, {}).status()));
  EXPECT_TRUE(absl::IsAborted(attempts_.Finish(first, {}).status()));
  EXPECT_THAT(*results_.Arrays(job), IsEmpty());
}

TEST_F(AttemptStoreTest, FailsAJobAtTheThirdCrashWithTheReason) {
  const int64_t job = Create("a");
  for (int crash = 1; crash <= kMaxCrashCount; ++crash) {
    EXPECT_EQ(Row(job).state, JobState::kQueued);
    Start(job);
    const auto released = attempts_.WorkerDied(
        kWorker, "worker was killed by signal 9", kMaxCrashCount);
    EXPECT_EQ((*released)->crash_count, crash);
  }
  EXPECT_EQ(Row(job).state, JobState::kFailed);
  EXPECT_EQ(Row(job).failure->message,
            "worker was killed by signal 9 (3 times)");
}

TEST_F(AttemptStoreTest, SaysInTheHistoryWhyAJobIsQueuedAgain) {
  const int64_t job = Create("a");
  Start(job);
  ASSERT_TRUE(attempts_.WorkerDied(kWorker, "died", kMaxCrashCount).ok());
  const auto events = jobs_.Follow(ServerItself(), job, 2, 10000)->events;
  ASSERT_EQ(events.size(), 1);
  EXPECT_EQ(events.front().state, JobState::kQueued);
  ASSERT_TRUE(events.front().failure.has_value());
  EXPECT_EQ(events.front().failure->message, "died");
  EXPECT_FALSE(Row(job).failure.has_value());
  // What users ask for ends by their wish, whatever the worker does.
  Start(job);
  ASSERT_TRUE(jobs_.Cancel(ServerItself(), job).ok());
  ASSERT_TRUE(attempts_.WorkerDied(kWorker, "died", kMaxCrashCount).ok());
  EXPECT_EQ(Row(job).failure->message, "cancelled on request");
}

TEST_F(AttemptStoreTest, CountsCrashesAnewOnceALayerIsThere) {
  const int64_t job = Create("a");
  for (int i = 0; i < kMaxCrashCount - 1; ++i) Crash(job);
  ASSERT_TRUE(attempts_.Publish(Start(job), Layer(0)).ok());
  EXPECT_EQ(Row(job).crash_count, 0);
  ASSERT_TRUE(attempts_.WorkerDied(kWorker, "died", kMaxCrashCount).ok());
  EXPECT_EQ(Row(job).crash_count, 1);
  // What was there before is no progress.
  ASSERT_TRUE(attempts_.Publish(Start(job), Layer(0)).ok());
  ASSERT_TRUE(attempts_.WorkerDied(kWorker, "died", kMaxCrashCount).ok());
  EXPECT_EQ(Row(job).state, JobState::kQueued);
  Crash(job);
  EXPECT_EQ(Row(job).state, JobState::kFailed);
}

TEST_F(AttemptStoreTest, TellsOfEachLayerOnceWhenItIsWhole) {
  NewJob job;
  job.parts = {{.prefix = "a/"}, {.prefix = "b/"}};
  for (int part = 0; part < 2; ++part) {
    for (const int64_t layer : {-1, 0, 1}) {
      for (const char* probe : {"pca", "routing"}) {
        job.groups.push_back(
            {.part = part, .layer = layer, .probe = probe, .key = ""});
      }
    }
  }
  const int64_t id = jobs_.Create(job)->job.id;
  const AttemptId attempt = Start(id);
  const auto publish = [&](int64_t layer, const std::string& probe,
                           const std::vector<int>& parts) {
    const std::string key = probe + std::to_string(layer);
    PublishedLayer published{
        .layer = layer,
        .stamp = "stamp",
        .weights_fingerprint = "weights",
        .groups = {{.probe = probe, .key = key, .arrays = {}}},
        .needed = {},
        .warnings = {"of " + key}};
    for (const int part : parts) {
      published.needed.push_back(
          {.part = part, .layer = layer, .probe = probe, .key = key});
    }
    ASSERT_TRUE(attempts_.Publish(attempt, published).ok());
  };
  const auto layers = [&] { return Texts(id, JobEventRow::Kind::kLayer); };
  publish(1, "pca", {1, 0});
  EXPECT_THAT(layers(), IsEmpty());
  publish(1, "routing", {1, 0});
  EXPECT_THAT(layers(), ElementsAre("a/layer1/", "b/layer1/"));
  publish(-1, "pca", {0, 1});
  publish(-1, "routing", {0, 1});
  publish(1, "routing", {0, 1});
  publish(0, "pca", {0});
  publish(0, "routing", {0, 1});
  publish(0, "pca", {0, 1});
  EXPECT_THAT(layers(),
              ElementsAre("a/layer1/", "b/layer1/", "a/layer0/", "b/layer0/"));
  EXPECT_EQ(Row(id).layers_done, 4);
  EXPECT_THAT(Texts(id, JobEventRow::Kind::kWarning),
              ElementsAre("a/: of pca1", "b/: of pca1", "a/: of routing1",
                          "b/: of routing1", "a/: of pca-1", "b/: of pca-1",
                          "a/: of routing-1", "b/: of routing-1", "a/: of pca0",
                          "a/: of routing0", "b/: of routing0", "b/: of pca0"));
  EXPECT_EQ(*attempts_.Finish(attempt, {}), JobState::kSucceeded);
}

TEST_F(AttemptStoreTest, KeepsPublishedLayersAfterACrash) {
  const int64_t job = Create("a");
  ASSERT_TRUE(attempts_.Publish(Start(job), Layer(0)).ok());
  ASSERT_TRUE(attempts_.WorkerDied(kWorker, "died", kMaxCrashCount).ok());
  const auto missing = queue_.MissingGroups(job);
  ASSERT_EQ(missing->size(), 1);
  EXPECT_EQ(missing->front().layer, 1);
  const AttemptId second = Start(job);
  ASSERT_TRUE(attempts_.Publish(second, Layer(1)).ok());
  EXPECT_EQ(*attempts_.Finish(second, {}), JobState::kSucceeded);
  EXPECT_FALSE(Row(job).cached);
}

TEST_F(AttemptStoreTest, BlamesNobodyWhenTheServerStops) {
  const int64_t running = Create("a");
  const int64_t cancelling = Create("b");
  Start(running, 1);
  Start(cancelling, 2);
  ASSERT_TRUE(jobs_.Cancel(ServerItself(), cancelling).ok());
  ASSERT_TRUE(attempts_.ReleaseAll().ok());
  EXPECT_EQ(Row(running).state, JobState::kQueued);
  EXPECT_EQ(Row(running).crash_count, 0);
  EXPECT_EQ(Row(cancelling).state, JobState::kCancelled);
  EXPECT_THAT(*attempts_.OpenJobs(), ElementsAre(running));
}

TEST_F(AttemptStoreTest, CancelsAJobWhoseWorkerDiesOfIt) {
  const int64_t job = Create("a");
  Start(job);
  ASSERT_TRUE(jobs_.Cancel(ServerItself(), job).ok());
  ASSERT_TRUE(attempts_.WorkerDied(kWorker, "killed", kMaxCrashCount).ok());
  EXPECT_EQ(Row(job).state, JobState::kCancelled);
  EXPECT_EQ(Row(job).crash_count, 0);
}

TEST_F(AttemptStoreTest, NotesProgressOnlyWhereItIsNews) {
  const int64_t job = Create("a");
  const AttemptId attempt = Start(job);
  ASSERT_TRUE(attempts_.Report(attempt, "layer 0", 0.1, {"w"}).ok());
  ASSERT_TRUE(attempts_.Report(attempt, "layer 0", 0.1001, {"w"}).ok());
  ASSERT_TRUE(attempts_.Report(attempt, "layer 1", 0.1001, {}).ok());
  ASSERT_TRUE(attempts_.Report(attempt, "layer 1", 0.2, {}).ok());
  EXPECT_THAT(Texts(job, JobEventRow::Kind::kProgress),
              ElementsAre("layer 0", "layer 1", "layer 1"));
  EXPECT_THAT(Row(job).warnings, ElementsAre("w"));
}

// Two models that are trained at once and tell of every step.
TEST_F(AttemptStoreTest, KeepsAShortHistoryOfALongJob) {
  constexpr int kReports = 600;
  const int64_t job = Create("a");
  const AttemptId attempt = Start(job);
  const int told_before = told_;
  for (int i = 1; i <= kReports; ++i) {
    const std::string phase = std::string(i % 2 == 0 ? "dense" : "soft") +
                              ", seed 0: step " + std::to_string(i);
    ASSERT_TRUE(
        attempts_.Report(attempt, phase, double{1} * i / kReports / 2, {})
            .ok());
    ASSERT_EQ(Row(job).phase, phase);
  }
  EXPECT_EQ(told_ - told_before, kReports);
  const auto texts = Texts(job, JobEventRow::Kind::kProgress);
  EXPECT_EQ(texts[0], "soft, seed 0: step 1");
  EXPECT_EQ(texts[1], "dense, seed 0: step 2");
  // A hundred half percents, give or take what rounding makes of them.
  EXPECT_LE(texts.size(), 102U);
  EXPECT_GE(texts.size(), 95U);
}

// A later attempt begins again at 0.
TEST_F(AttemptStoreTest, TellsOfProgressOfEveryAttempt) {
  const int64_t job = Create("a");
  ASSERT_TRUE(attempts_.Report(Start(job), "soft: step 9", 0.9, {}).ok());
  ASSERT_TRUE(attempts_.WorkerDied(kWorker, "died", kMaxCrashCount).ok());
  ASSERT_TRUE(attempts_.Report(Start(job), "soft: step 1", 0.1, {}).ok());
  EXPECT_THAT(Texts(job, JobEventRow::Kind::kProgress),
              ElementsAre("soft: step 9", "soft: step 1"));
}

}  // namespace
}  // namespace moeprobe
