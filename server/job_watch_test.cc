// WatchJob over a real connection.

#include <grpcpp/support/status.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <future>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "moeprobe/v1/job.pb.h"
#include "moeprobe/v1/worker_service.pb.h"
#include "server/testing/server_fixture.h"
#include "server/testing/test_client.h"

namespace moeprobe {
namespace {

using testing::ElementsAre;

using JobWatchTest = ServerFixture;

// Events that a job's history has.
size_t CountKept(const std::vector<v1::JobEvent>& events) {
  return static_cast<size_t>(std::ranges::count_if(
      events, [](const v1::JobEvent& event) { return event.sequence() > 0; }));
}

TEST_F(JobWatchTest, TellsTheWholeStoryOfAJob) {
  const std::string job = Create();
  const v1::Task task = Claim();
  worker_->Report(task, "layer 0 of 2", 0.5);
  worker_->Run(task);
  std::vector<std::string> story;
  int64_t sequence = 0;
  for (const v1::JobEvent& event : client_->Watch(job)) {
    EXPECT_EQ(event.sequence(), ++sequence);
    if (event.event_case() == v1::JobEvent::kState) {
      story.push_back(v1::Job::State_Name(event.state()));
    } else if (event.event_case() == v1::JobEvent::kLayer) {
      story.push_back(event.layer());
    } else {
      story.push_back(event.progress().phase());
    }
  }
  EXPECT_TRUE(client_->status().ok());
  EXPECT_THAT(story,
              ElementsAre("STATE_QUEUED", "STATE_RUNNING", "layer 0 of 2",
                          "layer0/", "layer1/", "STATE_SUCCEEDED"));
  EXPECT_EQ(client_->Watch(job, 4).size(), 2);
  EXPECT_EQ(client_->Watch(job, 99).size(), 0);
  EXPECT_TRUE(client_->status().ok());
}

// The second report says nothing that the history needs; only who watches now
// hears of it.
TEST_F(JobWatchTest, TellsWhoWatchesWhatAJobDoesNow) {
  const std::string job = Create();
  const v1::Task task = Claim();
  worker_->Report(task, "soft: step 1", 0.5);
  std::promise<void> begun, passed;
  auto watched = std::async(std::launch::async, [&] {
    std::vector<std::string> told;
    TestClient(server_->addresses()[0])
        .Watch(job, 0, [&](const v1::JobEvent& event) {
          if (!event.has_progress()) return false;
          told.push_back(
              absl::StrCat(event.sequence(), " ", event.progress().phase()));
          if (told.size() == 1) begun.set_value();
          if (told.size() == 2) passed.set_value();
          return false;
        });
    return told;
  });
  begun.get_future().wait();
  worker_->Report(task, "soft: step 2", 0.501);
  passed.get_future().wait();
  worker_->Report(task, "soft: step 3", 0.6);
  worker_->Run(task);
  EXPECT_THAT(watched.get(), ElementsAre("3 soft: step 1", "0 soft: step 2",
                                         "4 soft: step 3"));
  std::vector<std::string> history;
  for (const v1::JobEvent& event : client_->Watch(job)) {
    if (event.has_progress()) history.push_back(event.progress().phase());
  }
  EXPECT_THAT(history, ElementsAre("soft: step 1", "soft: step 3"));
}

TEST_F(JobWatchTest, FollowsAJobWhileItRuns) {
  const std::string job = Create();
  auto watched = std::async(std::launch::async, [&] {
    return CountKept(TestClient(server_->addresses()[0]).Watch(job));
  });
  RunOne();
  EXPECT_EQ(watched.get(), 5);
}

TEST_F(JobWatchTest, ServesManyWatchersAndEverybodyElse) {
  const std::string job = Create();
  std::vector<std::future<size_t>> watched(200);
  for (auto& events : watched) {
    events = std::async(std::launch::async, [&] {
      return CountKept(TestClient(server_->addresses()[0]).Watch(job));
    });
  }
  EXPECT_EQ(StateOf(job), v1::Job::STATE_QUEUED);
  RunOne();
  for (auto& events : watched) EXPECT_EQ(events.get(), 5);
}

bool IsPlace(const v1::JobEvent& event) { return event.has_place(); }

// Each place once, although it is looked at every second: a watch that begins
// later hears of a later look, after those before it.
TEST_F(JobWatchTest, TellsWhereAQueuedJobStandsAndWhenThatChanges) {
  const std::string first = Create();
  const std::string second = Create();
  std::promise<void> behind, next;
  auto watched = std::async(std::launch::async, [&] {
    std::vector<int> places;
    TestClient(server_->addresses()[0])
        .Watch(second, 0, [&](const v1::JobEvent& event) {
          if (!event.has_place()) return false;
          EXPECT_EQ(event.sequence(), 0);
          places.push_back(event.place().queue_position());
          if (places.size() == 1) behind.set_value();
          if (places.size() == 2) next.set_value();
          return false;
        });
    return places;
  });
  behind.get_future().wait();
  client_->Watch(second, 0, IsPlace);
  client_->Cancel(first);
  next.get_future().wait();
  client_->Cancel(second);
  EXPECT_THAT(watched.get(), ElementsAre(1, 0));
}

// Looks tell the watchers of older jobs first.
TEST_F(JobWatchTest, TellsNoPlaceOfAJobThatIsNotQueued) {
  const std::string running = Create();
  const v1::Task task = Claim();
  std::promise<void> begun;
  auto watched = std::async(std::launch::async, [&] {
    return TestClient(server_->addresses()[0])
        .Watch(running, 0, [&](const v1::JobEvent& event) {
          if (event.state() == v1::Job::STATE_RUNNING) begun.set_value();
          return false;
        });
  });
  begun.get_future().wait();
  client_->Watch(Create(), 0, IsPlace);
  worker_->Run(task);
  EXPECT_EQ(std::ranges::count_if(watched.get(), &v1::JobEvent::has_place), 0);
}

TEST_F(JobWatchTest, TellsAJobsPlaceEachTimeThatItIsQueued) {
  const std::string job = Create();
  std::promise<void> queued, queued_again;
  auto watched = std::async(std::launch::async, [&] {
    std::vector<std::string> story;
    TestClient(server_->addresses()[0])
        .Watch(job, 0, [&](const v1::JobEvent& event) {
          if (event.has_warning()) return false;
          const std::string now =
              event.has_place() ? "place" : v1::Job::State_Name(event.state());
          // How often, while it waits, depends on the machine.
          if (!story.empty() && now == story.back()) return false;
          story.push_back(now);
          if (story.size() == 2) queued.set_value();
          if (story.size() == 5) queued_again.set_value();
          return false;
        });
    return story;
  });
  queued.get_future().wait();
  worker_->Fail(Claim(), grpc::StatusCode::RESOURCE_EXHAUSTED, "no room");
  queued_again.get_future().wait();
  client_->Cancel(job);
  EXPECT_THAT(watched.get(),
              ElementsAre("STATE_QUEUED", "place", "STATE_RUNNING",
                          "STATE_QUEUED", "place", "STATE_CANCELLED"));
}

TEST_F(JobWatchTest, LetsAWatcherGoWhenItWantsTo) {
  const std::string job = Create();
  client_->Watch(job, 0, [](const v1::JobEvent&) { return true; });
  ExpectClientCode(grpc::StatusCode::CANCELLED);
  RunOne();
  EXPECT_EQ(client_->Watch(job).size(), 5);
}

TEST_F(JobWatchTest, EndsWatchesWhenItStops) {
  const std::string job = Create();
  std::promise<void> started;
  auto code = std::async(std::launch::async, [&] {
    TestClient client(server_->addresses()[0]);
    client.Watch(job, 0, [&](const v1::JobEvent& event) {
      if (event.sequence() == 1) started.set_value();
      return false;
    });
    return client.status().error_code();
  });
  started.get_future().wait();
  server_->Stop();
  EXPECT_EQ(code.get(), grpc::StatusCode::UNAVAILABLE);
}

}  // namespace
}  // namespace moeprobe
