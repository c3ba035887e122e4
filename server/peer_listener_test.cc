#include "server/peer_listener.h"

#include <grpcpp/impl/service_type.h>
#include <poll.h>
#include <prometheus/registry.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <future>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/base/file_descriptor.h"
#include "core/base/mutex.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/access/caller.h"
#include "server/metrics/call_metrics.h"
#include "server/service_set.h"
#include "tests/testing/temporary_directory.h"

namespace moeprobe {
namespace {

using testing::ElementsAre;

constexpr std::chrono::seconds kPatience{30};
constexpr int kThreads = 4;

// Health alone, which every server has.
class NoServices final : public ServiceSet {
 public:
  std::vector<grpc::Service*> All() override { return {}; }
};

class PeerListenerTest : public testing::Test {
 protected:
  void Start(PeerListener::UserLookup user_of) {
    auto started = PeerListener::Start(
        path_, 0600, kThreads,
        [this](const Origin& origin) {
          const MutexLock lock(mutex_);
          peers_.push_back(*origin.peer);
          return std::make_unique<NoServices>();
        },
        &metrics_, std::move(user_of));
    ASSERT_TRUE(started.ok()) << started.status();
    listener_ = *std::move(started);
  }

  FileDescriptor Connect() const {
    FileDescriptor connection(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path_.c_str(), path_.native().size());
    EXPECT_EQ(
        connect(connection.number(),
                reinterpret_cast<const sockaddr*>(&address), sizeof(address)),
        0);
    return connection;
  }

  // Whether gRPC says something at the other end, not only closes it.
  static bool IsServed(const FileDescriptor& connection) {
    std::array<char, 1> byte{};
    return recv(connection.number(), byte.data(), byte.size(), 0) == 1;
  }

  // What connections were taken for, one after the other.
  std::vector<std::string> Users() {
    const MutexLock lock(mutex_);
    std::vector<std::string> users;
    for (const Peer& peer : peers_) {
      EXPECT_EQ(peer.uid, getuid());
      users.push_back(peer.user);
    }
    return users;
  }

  TemporaryDirectory directory_;
  std::filesystem::path path_ = directory_.path() / "s";
  prometheus::Registry registry_;
  CallMetrics metrics_{registry_};
  Mutex mutex_;
  std::vector<Peer> peers_ ABSL_GUARDED_BY(mutex_);
  std::unique_ptr<PeerListener> listener_;  // last: uses all of the above
};

TEST_F(PeerListenerTest, LooksUpWhoConnectsEachTime) {
  std::vector<std::string> names = {"ann", "ann", "bob", "ann"};
  Start([&, next = names.begin()](uid_t /*uid*/) mutable { return *next++; });
  for (const std::string& name : names) {
    EXPECT_TRUE(IsServed(Connect())) << name;
  }
  // Of those who were there already the server takes more.
  EXPECT_THAT(Users(), ElementsAre("ann", "bob"));
}

TEST_F(PeerListenerTest, TakesNobodyWhoCannotBeLookedUp) {
  std::vector<absl::StatusOr<std::string>> answers = {
      absl::UnavailableError("user id 7: its account cannot be looked up"),
      std::string("ann")};
  Start([&, next = answers.begin()](uid_t /*uid*/) mutable { return *next++; });
  testing::internal::CaptureStdout();
  EXPECT_FALSE(IsServed(Connect()));
  EXPECT_THAT(testing::internal::GetCapturedStdout(),
              testing::HasSubstr("user id 7"));
  EXPECT_TRUE(IsServed(Connect()));
  EXPECT_THAT(Users(), ElementsAre("ann"));
}

TEST_F(PeerListenerTest, WaitsForWhatALookUpNeeds) {
  std::vector<absl::StatusOr<std::string>> answers = {
      absl::ResourceExhaustedError("Too many open files"),
      absl::ResourceExhaustedError("Too many open files"), std::string("ann")};
  Start([&, next = answers.begin()](uid_t /*uid*/) mutable { return *next++; });
  EXPECT_TRUE(IsServed(Connect()));
  EXPECT_THAT(Users(), ElementsAre("ann"));
}

TEST_F(PeerListenerTest, EndsWhileALookUpLacksSomething) {
  std::promise<void> asked;
  Start([&, is_first = true](uid_t /*uid*/) mutable {
    if (std::exchange(is_first, false)) asked.set_value();
    return absl::StatusOr<std::string>(
        absl::ResourceExhaustedError("Too many open files"));
  });
  const FileDescriptor connection = Connect();
  asked.get_future().wait();
  listener_->Stop(std::chrono::milliseconds(0));
  EXPECT_FALSE(IsServed(connection));
}

TEST_F(PeerListenerTest, TellsItsHealthWhileANameServiceIsSlow) {
  std::promise<void> asked;
  std::promise<std::string> name;
  Start([&](uid_t /*uid*/) {
    asked.set_value();
    return name.get_future().get();
  });
  const FileDescriptor connection = Connect();
  asked.get_future().wait();
  auto told = std::async(std::launch::async,
                         [&] { listener_->SetHealth("workers", true); });
  EXPECT_EQ(told.wait_for(kPatience), std::future_status::ready);
  name.set_value("ann");
  EXPECT_TRUE(IsServed(connection));
}

}  // namespace
}  // namespace moeprobe
