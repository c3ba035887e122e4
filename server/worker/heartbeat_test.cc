#include "server/worker/heartbeat.h"

#include <cerrno>
#include <chrono>
#include <cstddef>
#include <functional>
#include <thread>

#include "absl/status/status.h"
#include "core/base/disk_error.h"
#include "core/plan/machine_rates.h"
#include "gtest/gtest.h"
#include "moeprobe/v1/worker_service.pb.h"
#include "server/grpc_status.h"
#include "server/testing/recording_service.h"
#include "server/worker/server_connection.h"
#include "server/worker/server_link.h"
#include "tests/testing/temporary_directory.h"

namespace moeprobe {
namespace {

class HeartbeatTest : public testing::Test {
 protected:
  static void WaitUntil(const std::function<bool()>& condition) {
    while (!condition()) {
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
  }

  TemporaryDirectory directory_;
  RecordingService service_ = RecordingService(directory_.path() / "socket");
  ServerLink link_ =
      ServerLink(*ConnectToServer(service_.address()), MachineRates{});
};

TEST_F(HeartbeatTest, GoesOnWhereTheDiskOfTheServerDoesNot) {
  const Heartbeat heartbeat(link_, v1::Task());
  for (const int number : {ENOSPC, EIO}) {
    service_.RefuseReports(ToGrpc(DiskError(number, "moeprobe.db")));
    const size_t before = service_.progress().size();
    WaitUntil([&] {
      return service_.progress().size() >= before + 2 ||
             !heartbeat.status().ok();
    });
    ASSERT_EQ(heartbeat.status(), absl::OkStatus());
  }
}

TEST_F(HeartbeatTest, EndsWithTheServer) {
  service_.RefuseReports(ToGrpc(absl::UnavailableError("gone")));
  const Heartbeat heartbeat(link_, v1::Task());
  WaitUntil([&] { return !heartbeat.status().ok(); });
  EXPECT_EQ(heartbeat.status(), absl::UnavailableError("gone"));
}

}  // namespace
}  // namespace moeprobe
