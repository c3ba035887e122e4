// The real program, and how it lives through the death of processes.

#include <fcntl.h>
#include <grpcpp/support/status.h>
#include <spawn.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <set>
#include <sstream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/base/npy.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "moeprobe/v1/job.pb.h"
#include "server/testing/test_client.h"
#include "server/testing/test_worker.h"
#include "tests/testing/temporary_directory.h"
#include "tests/testing/tiny_checkpoint.h"

namespace moeprobe {
namespace {

using testing::HasSubstr;
using testing::MatchesRegex;

// A server process, killed when it goes out of scope. Its standard error goes
// to a file.
class ServerProcess {
 public:
  ServerProcess(const std::vector<std::string>& arguments,
                const std::filesystem::path& log)
      : log_(log) {
    std::array<int, 2> out{};
    EXPECT_EQ(pipe(out.data()), 0);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, out[1], STDOUT_FILENO);
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, log.c_str(),
                                     O_WRONLY | O_CREAT | O_TRUNC, 0600);
    posix_spawn_file_actions_addclosefrom_np(&actions, STDERR_FILENO + 1);
    std::vector<std::string> words = {MOEPROBE_SERVER_BINARY};
    words.insert(words.end(), arguments.begin(), arguments.end());
    std::vector<char*> pointers;
    for (std::string& word : words) pointers.push_back(word.data());
    pointers.push_back(nullptr);
    EXPECT_EQ(posix_spawn(&pid_, pointers[0], &actions, nullptr,
                          pointers.data(), environ),
              0);
    posix_spawn_file_actions_destroy(&actions);
    close(out[1]);
    out_ = out[0];
  }
  ~ServerProcess() {
    if (pid_ > 0) Kill(SIGKILL);
    close(out_);
  }
  ServerProcess(const ServerProcess&) = delete;
  ServerProcess& operator=(const ServerProcess&) = delete;

  pid_t pid() const { return pid_; }

  // Returns the next line of standard output; "" at its end.
  std::string ReadLine() const {
    std::string line;
    char c = 0;
    while (read(out_, &c, 1) == 1 && c != '\n') line.push_back(c);
    return line;
  }

  // Sends a signal, waits for the end, and returns the exit status.
  int Kill(int signal) {
    kill(pid_, signal);
    return Wait();
  }
  int Wait() {
    int status = 0;
    while (waitpid(std::exchange(pid_, -1), &status, 0) < 0 && errno == EINTR) {
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  }

  std::string Log() const {
    std::ostringstream text;
    text << std::ifstream(log_).rdbuf();
    return text.str();
  }

 private:
  pid_t pid_ = -1;
  int out_ = -1;
  std::filesystem::path log_;
};

class ServerProcessTest : public testing::Test {
 protected:
  ServerProcessTest() {
    WriteTinyModel(directory_.path() / "models/mixtral",
                   MakeTinyModel("mixtral"));
  }

  std::unique_ptr<ServerProcess> Start(const std::vector<std::string>& more = {
                                           "--workers", "0"}) {
    std::vector<std::string> arguments = {
        "--data-dir",   directory_.path() / "data",
        "--model-root", directory_.path() / "models",
        "--listen",     address_};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return std::make_unique<ServerProcess>(
        arguments, directory_.path() / absl::StrCat("log", ++log_count_));
  }

  // Starts a server and waits until it listens.
  std::unique_ptr<ServerProcess> StartReady(
      const std::vector<std::string>& more = {"--workers", "0"}) {
    auto server = Start(more);
    EXPECT_EQ(server->ReadLine(), "listening on " + address_) << server->Log();
    return server;
  }

  v1::AnalyzeSpec SomeSpec(TestClient& client) {
    const std::vector<int32_t> ids(32, 3);
    const v1::Dataset dataset =
        client.Upload(v1::Dataset::KIND_IDS, "ids.npy", EncodeTokenIds(ids));
    EXPECT_TRUE(client.status().ok()) << client.status().error_message();
    v1::AnalyzeSpec spec;
    spec.set_model("mixtral");
    spec.add_data()->set_ids(dataset.name());
    spec.mutable_data(0)->set_sequence_length(16);
    return spec;
  }

  TemporaryDirectory directory_;
  std::string address_ =
      absl::StrCat("unix:", (directory_.path() / "s").string());
  int log_count_ = 0;
};

TEST_F(ServerProcessTest, EndsWithStatusZeroWhenAskedTo) {
  for (const int signal : {SIGTERM, SIGINT}) {
    EXPECT_EQ(StartReady()->Kill(signal), 0);
  }
}

TEST_F(ServerProcessTest, KeepsEveryAcknowledgedJobWhenItIsKilled) {
  std::set<std::string> acknowledged;
  for (int round = 0; round < 5; ++round) {
    const auto server = StartReady();
    TestClient client(address_);
    const v1::AnalyzeSpec spec = SomeSpec(client);
    // Killed in the middle of the stream of requests.
    std::thread killer([&] {
      std::this_thread::sleep_for(std::chrono::milliseconds(30 * (round + 1)));
      kill(server->pid(), SIGKILL);
    });
    while (true) {
      const v1::Job job = client.Create(spec);
      if (!client.status().ok()) break;
      acknowledged.insert(job.name());
    }
    killer.join();
    server->Wait();
  }
  ASSERT_FALSE(acknowledged.empty());
  const auto server = StartReady();
  TestClient client(address_);
  for (const std::string& name : acknowledged) {
    EXPECT_EQ(client.Get(name).state(), v1::Job::STATE_QUEUED) << name;
  }
}

TEST_F(ServerProcessTest, RequeuesRunningJobsWithoutBlameWhenItIsKilled) {
  auto server = StartReady();
  const std::string job = [&] {
    TestClient client(address_);
    return client.Create(SomeSpec(client)).name();
  }();
  TestWorker worker(
      absl::StrCat("unix:", (directory_.path() / "data/worker.sock").string()),
      1);
  ASSERT_TRUE(worker.Claim().has_value());
  server->Kill(SIGKILL);
  server = StartReady();
  const v1::Job found = TestClient(address_).Get(job);
  EXPECT_EQ(found.state(), v1::Job::STATE_QUEUED);
  EXPECT_EQ(found.crash_count(), 0);
}

TEST_F(ServerProcessTest, FailsAJobWhoseWorkersDieThreeTimes) {
  const auto server = StartReady(
      {"--workers", "1", "--worker-binary", MOEPROBE_CRASHING_WORKER_BINARY});
  TestClient client(address_);
  const std::string job = client.Create(SomeSpec(client)).name();
  int runs = 0;
  for (const v1::JobEvent& event : client.Watch(job)) {
    runs += event.state() == v1::Job::STATE_RUNNING ? 1 : 0;
  }
  EXPECT_EQ(runs, 3);
  const v1::Job failed = client.Get(job);
  EXPECT_EQ(failed.state(), v1::Job::STATE_FAILED);
  EXPECT_EQ(failed.crash_count(), 3);
  EXPECT_EQ(failed.error().message(),
            "worker was killed by signal 9 (by hand, or by the kernel for want "
            "of memory) (3 times)");
}

TEST_F(ServerProcessTest, FailsAJobWhoseWorkersGetNoFurther) {
  const auto server =
      StartReady({"--workers", "1", "--worker-binary",
                  MOEPROBE_STALLING_WORKER_BINARY, "--stall-seconds", "1"});
  TestClient client(address_);
  const std::string job = client.Create(SomeSpec(client)).name();
  std::vector<std::string> reasons;
  for (const v1::JobEvent& event : client.Watch(job)) {
    if (event.has_error()) reasons.push_back(event.error().message());
  }
  ASSERT_EQ(reasons.size(), 3);
  EXPECT_THAT(reasons[0], MatchesRegex("worker [0-9]+ got no further for 1 s"));
  EXPECT_THAT(
      reasons[2],
      MatchesRegex("worker [0-9]+ got no further for 1 s \\(3 times\\)"));
  EXPECT_EQ(client.Get(job).state(), v1::Job::STATE_FAILED);
}

TEST_F(ServerProcessTest, FailsAJobThatTakesLongerThanItMay) {
  const auto server =
      StartReady({"--workers", "1", "--worker-binary",
                  MOEPROBE_STALLING_WORKER_BINARY, "--max-job-time", "1"});
  TestClient client(address_);
  const std::string job = client.Create(SomeSpec(client)).name();
  client.Watch(job);
  const v1::Job failed = client.Get(job);
  EXPECT_EQ(failed.state(), v1::Job::STATE_FAILED);
  EXPECT_EQ(failed.error().code(), grpc::StatusCode::DEADLINE_EXCEEDED);
  EXPECT_EQ(failed.error().message(),
            "took longer than 1 s, the most that this server allows");
  EXPECT_EQ(failed.crash_count(), 0);
}

TEST_F(ServerProcessTest, SharesItsDataWithNoSecondServer) {
  const auto first = StartReady();
  address_ += "2";
  const auto second = Start();
  EXPECT_EQ(second->Wait(), 1);
  EXPECT_THAT(second->Log(),
              HasSubstr(absl::StrCat("already running, pid ", first->pid())));
}

TEST_F(ServerProcessTest, TakesNoSocketFromAnother) {
  const auto first = StartReady();
  const ServerProcess second(
      {"--data-dir", directory_.path() / "other", "--model-root",
       directory_.path() / "models", "--listen", address_, "--workers", "0"},
      directory_.path() / "log-other");
  EXPECT_EQ(second.ReadLine(), "");
  EXPECT_THAT(second.Log(), HasSubstr("another process listens on it"));
  TestClient client(address_);
  client.GetServerInfo();
  EXPECT_TRUE(client.status().ok());
}

TEST_F(ServerProcessTest, TellsThePortItChose) {
  address_ = "127.0.0.1:0";
  const auto server = Start();
  const std::string line = server->ReadLine();
  ASSERT_THAT(line, MatchesRegex("listening on 127\\.0\\.0\\.1:[1-9][0-9]*"));
  TestClient client(line.substr(std::string("listening on ").size()));
  client.GetServerInfo();
  EXPECT_TRUE(client.status().ok()) << client.status().error_message();
}

TEST_F(ServerProcessTest, NamesWhatItCannotUse) {
  const auto expect = [&](const std::vector<std::string>& arguments,
                          const std::string& words) {
    const auto server = Start(arguments);
    EXPECT_NE(server->Wait(), 0);
    EXPECT_THAT(server->Log(), HasSubstr(words));
  };
  expect({"--worker-binary", "/no/such/worker"}, "/no/such/worker");
  expect({"--workers", "0", "--model-root", "/no/such/root"}, "/no/such/root");
  expect({"--workers", "-1"}, "--workers");
  std::filesystem::create_directories(directory_.path() / "data");
  WriteBytes(directory_.path() / "data/moeprobe.db", std::string(5000, 'x'));
  expect({"--workers", "0"}, "moeprobe.db");
}

}  // namespace
}  // namespace moeprobe
