#include "client/commands/watch.h"

#include <sstream>
#include <string>
#include <thread>

#include "absl/status/status.h"
#include "client/commands/screen.h"
#include "client/commands/session.h"
#include "client/service/cancellation.h"
#include "client/service/client.h"
#include "client/testing/fake_server.h"
#include "gtest/gtest.h"
#include "moeprobe/v1/job.pb.h"

namespace moeprobe {
namespace {

// Whoever watches what a server tells, into a pipe.
struct Watcher {
  explicit Watcher(FakeServerState& state) : server(state) {}

  const FakeServer server;
  Cancellation cancellation;
  Client client{{.address = server.address()}, cancellation};
  std::ostringstream stream;
  Screen screen{stream, false, 80};
  Session session{.client = client,
                  .cancellation = cancellation,
                  .out = screen,
                  .err = screen,
                  .program = "client --server x"};
};

TEST(WatchTest, SaysOnceWhatAJobThatGoesNextWaitsFor) {
  FakeServerState state;
  state.job.set_name("jobs/17");
  state.job.mutable_memory_wait()->set_needed_bytes(2'000'000'000);
  v1::JobEvent queued, next, failed;
  queued.set_sequence(1);
  queued.set_state(v1::Job::STATE_QUEUED);
  next.mutable_place()->set_queue_position(0);
  failed.set_sequence(2);
  failed.set_state(v1::Job::STATE_FAILED);
  state.events = {queued, next, next, failed};
  Watcher watcher(state);
  EXPECT_TRUE(absl::IsAborted(Watch(watcher.session, "17")));
  EXPECT_EQ(watcher.stream.str(),
            "job 17: queued\n"
            "job 17: waits for 2.0 GB of memory; 0 B of 0 B are held\n"
            "job 17: failed\n");
}

TEST(WatchTest, SaysHowToTakeUpAJobAfterAnInterrupt) {
  FakeServerState state;
  v1::JobEvent running;
  running.set_sequence(1);
  running.set_state(v1::Job::STATE_RUNNING);
  state.events = {running};
  Watcher watcher(state);
  std::thread interrupt([&watcher] { watcher.cancellation.Cancel(); });
  const absl::Status status = Watch(watcher.session, "17");
  interrupt.join();
  EXPECT_TRUE(absl::IsCancelled(status));
  EXPECT_EQ(status.message(),
            "interrupted; job 17 goes on. Take it up again: client --server x "
            "watch 17");
}

}  // namespace
}  // namespace moeprobe
