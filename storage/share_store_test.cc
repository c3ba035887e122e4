#include "storage/share_store.h"

#include <cmath>
#include <cstdint>
#include <functional>
#include <memory>
#include <numbers>
#include <string>

#include "absl/status/status.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "storage/access.h"
#include "storage/attempt_store.h"
#include "storage/database.h"
#include "storage/job.h"
#include "storage/job_queue.h"
#include "storage/job_store.h"
#include "storage/share_rows.h"
#include "tests/testing/temporary_directory.h"

namespace moeprobe {
namespace {

// What decays and adds up, by a few roundings of a double.
constexpr double kRounding = 1e-9;

class ShareStoreTest : public testing::Test {
 protected:
  AttemptId Start(const std::string& owner) {
    NewJob job;
    job.access.owner = owner;
    job.parts = {{.prefix = ""}};
    job.groups = {{.part = 0, .layer = 0, .probe = "routing", .key = ""}};
    return *queue_.Start(jobs_.Create(job)->job.id, ++worker_);
  }

  void RunFor(const std::string& owner, absl::Duration duration) {
    const AttemptId attempt = Start(owner);
    now_ += duration;
    End(attempt, absl::StatusCode::kInternal);
  }

  void End(const AttemptId& attempt, absl::StatusCode code) {
    AttemptEnd end;
    end.failure = JobFailure{.code = static_cast<int>(code), .message = ""};
    ASSERT_TRUE(attempts_.Finish(attempt, end).ok());
  }

  double SecondsOf(const std::string& owner) {
    return (*shares_.All())[owner].seconds;
  }

  absl::Time now_ = absl::Now();
  std::function<absl::Time()> clock_ = [this] { return now_; };
  int64_t worker_ = 0;
  TemporaryDirectory directory_;
  std::unique_ptr<Database> database_ =
      *Database::Open(directory_.path() / "moeprobe.db");
  JobStore jobs_{database_.get(), [](int64_t) {}};
  JobQueue queue_{database_.get(), [](int64_t) {}, clock_};
  AttemptStore attempts_{database_.get(), [](int64_t) {}, clock_};
  ShareStore shares_{database_.get(), clock_};
};

TEST_F(ShareStoreTest, KnowsNobodyAtFirst) {
  EXPECT_TRUE(shares_.All()->empty());
}

TEST_F(ShareStoreTest, ChargesEveryEndOfAnAttempt) {
  const absl::Duration hour = absl::Hours(1);
  const double charge = SecondsLeft(hour);
  RunFor("failed", hour);
  EXPECT_NEAR(SecondsOf("failed"), charge, kRounding * charge);
  Start("dead");
  now_ += hour;
  ASSERT_TRUE(attempts_.WorkerDied(worker_, "", 3).ok());
  EXPECT_NEAR(SecondsOf("dead"), charge, kRounding * charge);
  const AttemptId attempt = Start("cancelled");
  ASSERT_TRUE(jobs_.Cancel(ServerItself(), attempt.job).ok());
  now_ += hour;
  End(attempt, absl::StatusCode::kCancelled);
  EXPECT_NEAR(SecondsOf("cancelled"), charge, kRounding * charge);
}

TEST_F(ShareStoreTest, ForgetsHalfInEachHalfLife) {
  RunFor("alice", absl::Hours(1));
  const double before = SecondsOf("alice");
  now_ += kUsageHalfLife;
  EXPECT_NEAR(SecondsOf("alice"), before / 2, kRounding * before);
  RunFor("bob", absl::ZeroDuration());  // brings all to this time
  EXPECT_NEAR(SecondsOf("alice"), before / 2, kRounding * before);
  now_ += 40 * kUsageHalfLife;
  RunFor("bob", absl::ZeroDuration());
  EXPECT_EQ(SecondsOf("alice"), 0);
}

TEST_F(ShareStoreTest, ChargesTheSameForOneLongAttemptAndManyShortOnes) {
  RunFor("alice", absl::Hours(100));
  const double at_once = SecondsOf("alice");
  for (int i = 0; i < 100; ++i) RunFor("bob", absl::Hours(1));
  EXPECT_NEAR(SecondsOf("bob"), at_once, kRounding * at_once);
}

TEST_F(ShareStoreTest, ChargesWhatIsKnownWhenTheServerEnds) {
  const AttemptId attempt = Start("alice");
  now_ += absl::Hours(1);
  ASSERT_TRUE(attempts_.Report(attempt, "phase", 0.5, {}).ok());
  now_ += kUsageHalfLife;  // until somebody starts it again
  ASSERT_TRUE(attempts_.ReleaseAll().ok());
  const double charge = SecondsLeft(absl::Hours(1)) / 2;
  EXPECT_NEAR(SecondsOf("alice"), charge, kRounding * charge);
}

TEST_F(ShareStoreTest, ChargesNothingForAWorkerThatWasNotHeardOf) {
  const AttemptId first = Start("alice");
  now_ += absl::Hours(1);
  ASSERT_TRUE(attempts_.Report(first, "phase", 0.5, {}).ok());
  ASSERT_TRUE(attempts_.ReleaseAll().ok());
  const double before = SecondsOf("alice");
  ASSERT_TRUE(queue_.Start(first.job, ++worker_, {}).ok());
  now_ += absl::Seconds(1);
  ASSERT_TRUE(attempts_.ReleaseAll().ok());
  EXPECT_LE(SecondsOf("alice"), before);
}

TEST_F(ShareStoreTest, ChargesNothingForTimeThatWentBackwards) {
  RunFor("alice", absl::Hours(1));
  const double before = SecondsOf("alice");
  RunFor("alice", -absl::Hours(5));
  EXPECT_NEAR(SecondsOf("alice"), before, kRounding * before);
}

TEST_F(ShareStoreTest, GoesOnForgettingAfterATimeThatIsNotYet) {
  RunFor("alice", absl::Hours(1));
  const double before = SecondsOf("alice");
  const absl::Time true_time = now_;
  now_ += absl::Hours(24 * 365 * 74);
  RunFor("bob", absl::ZeroDuration());
  EXPECT_EQ(SecondsOf("alice"), 0);
  now_ = true_time;
  RunFor("alice", absl::Hours(1));
  EXPECT_NEAR(SecondsOf("alice"), before, kRounding * before);
  now_ += kUsageHalfLife;
  EXPECT_NEAR(SecondsOf("alice"), before / 2, kRounding * before);
}

TEST_F(ShareStoreTest, StaysFiniteWhateverTheTimeIs) {
  for (const absl::Time time :
       {absl::UnixEpoch(), absl::UnixEpoch() + absl::Hours(24 * 365 * 130),
        absl::UnixEpoch() - absl::Hours(24 * 365 * 70)}) {
    RunFor("alice", time - now_);
    EXPECT_TRUE(std::isfinite(SecondsOf("alice"))) << time;
    EXPECT_LE(SecondsOf("alice"),
              2 * absl::ToDoubleSeconds(kUsageHalfLife) / std::numbers::ln2);
    EXPECT_GE(SecondsOf("alice"), 0);
  }
}

TEST_F(ShareStoreTest, KeepsWeights) {
  ASSERT_TRUE(shares_.SetWeight("alice", 2.5).ok());
  RunFor("alice", absl::Hours(1));
  EXPECT_EQ((*shares_.All())["alice"].weight, 2.5);
  ASSERT_TRUE(shares_.SetWeight("alice", 1).ok());
  EXPECT_EQ((*shares_.All())["alice"].weight, 1);
  EXPECT_GT(SecondsOf("alice"), 0);
  EXPECT_FALSE(shares_.SetWeight("alice", 0).ok());
}

TEST(SecondsLeftTest, IsTheTimeItselfWhereItIsShort) {
  EXPECT_NEAR(SecondsLeft(absl::Seconds(10)), 10, 1e-3);
  EXPECT_EQ(SecondsLeft(absl::ZeroDuration()), 0);
  EXPECT_EQ(SecondsLeft(-absl::Hours(1)), 0);
}

TEST(SecondsLeftTest, IsBounded) {
  const double half_life = absl::ToDoubleSeconds(kUsageHalfLife);
  EXPECT_NEAR(SecondsLeft(100 * kUsageHalfLife), half_life / std::numbers::ln2,
              kRounding * half_life);
  EXPECT_NEAR(SecondsLeft(kUsageHalfLife), half_life / std::numbers::ln2 / 2,
              kRounding * half_life);
}

}  // namespace
}  // namespace moeprobe
