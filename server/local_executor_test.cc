#include "server/local_executor.h"

#include <fcntl.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdint>
#include <future>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/base/file_descriptor.h"
#include "gtest/gtest.h"
#include "server/worker_process.h"

namespace moeprobe {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

struct Death {
  int64_t pid = 0;
  std::string reason;
  bool was_ordered = false;
};

// Hears what the executor tells.
class Listener {
 public:
  LocalExecutor::Options Options(std::vector<std::string> command) {
    return {
        .command = std::move(command),
        .worker_count = 1,
        .on_start =
            [this](int64_t pid, FileDescriptor line) {
              if (++start_count_ == 1) {
                line_ = std::move(line);
                first_.set_value(pid);
              }
              if (start_count_ == 2) second_.set_value(pid);
            },
        .on_death =
            [this](int64_t pid, const std::string& reason, bool was_ordered) {
              if (++death_count_ == 1) {
                death_.set_value(
                    {.pid = pid, .reason = reason, .was_ordered = was_ordered});
              }
            }};
  }

  int64_t first() { return Get(first_); }
  // Of the first; once that has started.
  const FileDescriptor& line() const { return line_; }
  int64_t second() { return Get(second_); }
  Death death() { return Get(death_); }

 private:
  template <typename T>
  T Get(std::promise<T>& promise) {
    auto future = promise.get_future();
    if (future.wait_for(seconds(30)) == std::future_status::timeout) {
      ADD_FAILURE() << "nothing within 30 s";
      return {};
    }
    return future.get();
  }

  int start_count_ = 0;
  int death_count_ = 0;
  FileDescriptor line_{-1};
  std::promise<int64_t> first_;
  std::promise<int64_t> second_;
  std::promise<Death> death_;
};

TEST(LocalExecutorTest, SaysHowAWorkerEndedAndStartsAnother) {
  Listener listener;
  const auto executor =
      LocalExecutor::Start(listener.Options({"/bin/sh", "-c", "exit 7"}));
  ASSERT_TRUE(executor.ok()) << executor.status();
  const int64_t first = listener.first();
  const Death death = listener.death();
  EXPECT_EQ(death.pid, first);
  EXPECT_EQ(death.reason, "worker exited with status 7");
  EXPECT_FALSE(death.was_ordered);
  EXPECT_NE(listener.second(), first);
}

// Both ends are sockets that do not block.
TEST(LocalExecutorTest, GivesAWorkerALine) {
  Listener listener;
  const auto executor = LocalExecutor::Start(
      listener.Options({"/bin/sh", "-c",
                        "until read -r word <&3; do sleep 0.01; done; "
                        "printf %s \"$word\" >&3"}));
  ASSERT_TRUE(executor.ok()) << executor.status();
  listener.first();
  const int line = listener.line().number();
  EXPECT_EQ(fcntl(line, F_GETFD), FD_CLOEXEC);
  EXPECT_EQ(fcntl(line, F_SETFL, 0), 0) << "for what follows";
  ASSERT_EQ(write(line, "x\n", 2), 2);
  char heard = 0;
  EXPECT_EQ(read(line, &heard, 1), 1);
  EXPECT_EQ(heard, 'x');
}

TEST(LocalExecutorTest, GivesAWorkerNoOtherFiles) {
  Listener listener;
  // A number that the line does not take.
  const FileDescriptor open_here(
      fcntl(STDERR_FILENO, F_DUPFD, WorkerProcess::kLine + 1));
  ASSERT_GT(open_here.number(), WorkerProcess::kLine);
  const auto executor = LocalExecutor::Start(listener.Options(
      {"/bin/sh", "-c",
       absl::StrCat("test -e /proc/$$/fd/3 -a ! -e /proc/$$/fd/",
                    open_here.number())}));
  ASSERT_TRUE(executor.ok()) << executor.status();
  EXPECT_EQ(listener.death().reason, "worker exited with status 0");
}

TEST(LocalExecutorTest, NoticesAWorkerThatIsKilled) {
  Listener listener;
  const auto executor =
      LocalExecutor::Start(listener.Options({"/bin/sleep", "1000"}));
  ASSERT_TRUE(executor.ok()) << executor.status();
  kill(static_cast<int>(listener.first()), SIGKILL);
  const Death death = listener.death();
  EXPECT_EQ(death.reason,
            "worker was killed by signal 9 (by hand, or by the kernel for want "
            "of memory)");
  EXPECT_FALSE(death.was_ordered);
}

TEST(LocalExecutorTest, KillsWhenItIsStillNeeded) {
  Listener listener;
  const auto executor =
      LocalExecutor::Start(listener.Options({"/bin/sleep", "1000"}));
  const int64_t pid = listener.first();
  std::promise<void> asked;
  (*executor)->KillLater(pid, milliseconds(0), [&] {
    asked.set_value();
    return false;
  });
  asked.get_future().wait();
  EXPECT_EQ(kill(static_cast<int>(pid), 0), 0);
  (*executor)->KillLater(pid, milliseconds(10), [] { return true; });
  const Death death = listener.death();
  EXPECT_EQ(death.pid, pid);
  EXPECT_EQ(death.reason, "worker was ended by the server");
  EXPECT_TRUE(death.was_ordered);
}

TEST(LocalExecutorTest, LeavesNoWorkerBehind) {
  Listener listener;
  auto executor = LocalExecutor::Start(listener.Options(
      {"/bin/sh", "-c", "trap '' TERM; while :; do sleep 0.1; done"}));
  const int64_t pid = listener.first();
  (*executor)->Stop();
  EXPECT_EQ(kill(static_cast<int>(pid), 0), -1);
}

TEST(LocalExecutorTest, LivesWithAProgramThatCannotBeStarted) {
  Listener listener;
  auto executor = LocalExecutor::Start(listener.Options({"/no/such/program"}));
  ASSERT_TRUE(executor.ok());
  (*executor)->Stop();
}

}  // namespace
}  // namespace moeprobe
