#include "server/task_operations.h"

#include <chrono>
#include <functional>
#include <string>

#include "gtest/gtest.h"
#include "moeprobe/v1/result.pb.h"
#include "moeprobe/v1/worker_service.pb.h"
#include "server/testing/parts_fixture.h"
#include "server/worker_pulse.h"

namespace moeprobe {
namespace {

constexpr std::chrono::seconds kLease{60};

class TaskOperationsTest : public PartsFixture {
 protected:
  // Whether `call` renews a lease that has run out.
  bool Renews(const std::function<void()>& call) {
    parts_.pulse.Beat(kWorker, WorkerPulse::Clock::now() - kLease);
    EXPECT_TRUE(parts_.pulse.IsSilent(kWorker, kLease));
    call();
    return !parts_.pulse.IsSilent(kWorker, kLease);
  }
};

template <typename Request>
Request RequestFor(const v1::Task& task) {
  Request request;
  request.set_job(task.job());
  request.set_attempt(task.attempt());
  return request;
}

TEST_F(TaskOperationsTest, RenewTheLeaseWithEveryCall) {
  Create();
  const v1::Task task = Claim();
  TaskOperations& operations = parts_.task_operations;
  EXPECT_TRUE(Renews([&] {
    EXPECT_TRUE(
        operations.Report(RequestFor<v1::ReportTaskRequest>(task)).ok());
  }));
  // What fails was heard all the same.
  EXPECT_TRUE(Renews([&] {
    EXPECT_FALSE(
        operations.StoreTokens(RequestFor<v1::StoreTokensRequest>(task)).ok());
  }));
  EXPECT_TRUE(Renews([&] {
    auto layer = RequestFor<v1::FinishedLayer>(task);
    layer.set_part(1);
    EXPECT_FALSE(operations.Publish(layer, {}).ok());
  }));
  EXPECT_TRUE(Renews([&] {
    EXPECT_TRUE(
        operations.Finish(RequestFor<v1::FinishTaskRequest>(task)).ok());
  }));
}

TEST_F(TaskOperationsTest, RenewNoLeaseForAnAttemptThatIsOver) {
  Create();
  v1::Task task = Claim();
  task.set_attempt(2);
  EXPECT_FALSE(Renews([&] {
    EXPECT_FALSE(
        parts_.task_operations.Finish(RequestFor<v1::FinishTaskRequest>(task))
            .ok());
  }));
}

}  // namespace
}  // namespace moeprobe
