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

TEST(WatchTest, SaysHowToTakeUpAJobAfterAnInterrupt) {
  FakeServerState state;
  v1::JobEvent running;
  running.set_sequence(1);
  running.set_state(v1::Job::STATE_RUNNING);
  state.events = {running};
  const FakeServer server(state);
  Cancellation cancellation;
  Client client({.address = server.address()}, cancellation);
  std::ostringstream stream;
  Screen screen(stream, false, 80);
  Session session{.client = client,
                  .cancellation = cancellation,
                  .out = screen,
                  .err = screen,
                  .program = "client --server x"};
  std::thread interrupt([&cancellation] { cancellation.Cancel(); });
  const absl::Status status = Watch(session, "17");
  interrupt.join();
  EXPECT_TRUE(absl::IsCancelled(status));
  EXPECT_EQ(status.message(),
            "interrupted; job 17 goes on. Take it up again: client --server x "
            "watch 17");
}

}  // namespace
}  // namespace moeprobe
