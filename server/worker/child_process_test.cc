#include "server/worker/child_process.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "absl/status/status.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"

namespace moeprobe {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;

ChildProcess Shell(const std::string& script) {
  return {.arguments = {"/bin/sh", "-c", script},
          .environment = {"PATH=/usr/bin:/bin", "COLOUR=green"},
          .timeout = absl::Seconds(30),
          .cancelled = {}};
}

TEST(ChildProcessTest, IsOkWhenTheProgramExitsWithZero) {
  EXPECT_EQ(RunToEnd(Shell("echo ignored; exit 0")), absl::OkStatus());
}

TEST(ChildProcessTest, HasNoInputUnlessOneIsGiven) {
  ChildProcess child = Shell("test \"$(head -c 9)\" = ''");
  EXPECT_EQ(RunToEnd(child), absl::OkStatus());
  child = Shell("test \"$(head -c 9)\" = 'processor'");
  child.input = "/proc/cpuinfo";
  EXPECT_EQ(RunToEnd(child), absl::OkStatus());
}

TEST(ChildProcessTest, NamesAProgramThatIsNotThere) {
  ChildProcess child = Shell("");
  child.arguments = {"/nowhere/python"};
  const absl::Status status = RunToEnd(child);
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(status.message(), "/nowhere/python: No such file or directory");
}

TEST(ChildProcessTest, ReportsExitStatusAndLastLineOfStderr) {
  const absl::Status status =
      RunToEnd(Shell("echo first >&2; echo last >&2; echo >&2; exit 3"));
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(status.message(), "exit status 3: last");
}

TEST(ChildProcessTest, KnowsTheExitStatusThatAsksForAnotherTry) {
  const absl::Status status = RunToEnd(Shell("echo no room >&2; exit 75"));
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(status.message(), "cannot do it now: no room");
}

TEST(ChildProcessTest, CutsALongLineOfStderr) {
  const absl::Status status =
      RunToEnd(Shell("head -c 3000000 /dev/zero | tr '\\0' x >&2; exit 1"));
  EXPECT_EQ(status.message(), "exit status 1: " + std::string(500, 'x'));
}

// A message is text, as those who pass it on expect, whatever the child wrote
// and wherever it was cut.
TEST(ChildProcessTest, MakesALineOfStderrPrintable) {
  EXPECT_EQ(RunToEnd(Shell("printf 'a\\0b\\033[m\\377' >&2; exit 1")).message(),
            "exit status 1: a\uFFFDb\uFFFD[m\uFFFD");
  const std::string letters(499, 'x');
  EXPECT_EQ(
      RunToEnd(Shell("printf " + letters + "\u00e4 >&2; exit 1")).message(),
      "exit status 1: " + letters + "\uFFFD");
}

TEST(ChildProcessTest, ReportsTheSignalThatKilledIt) {
  const absl::Status status = RunToEnd(Shell("echo oh >&2; kill -SEGV $$"));
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(status.message(), "killed by signal 11: oh");
}

TEST(ChildProcessTest, SaysWhenTheProcessorTimeRanOut) {
  const absl::Status status =
      RunToEnd(Shell("ulimit -S -t 1; while :; do :; done"));
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted) << status;
}

TEST(ChildProcessTest, IsKilledAtItsTimeout) {
  ChildProcess child = Shell("exec sleep 30");
  child.timeout = absl::Milliseconds(100);
  const absl::Status status = RunToEnd(child);
  EXPECT_EQ(status.code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_THAT(std::string(status.message()), EndsWith("after 100ms"));
}

TEST(ChildProcessTest, IsKilledAtItsTimeoutThoughItsStderrIsClosed) {
  ChildProcess child = Shell("exec 2>&-; exec sleep 30");
  child.timeout = absl::Milliseconds(100);
  EXPECT_EQ(RunToEnd(child).code(), absl::StatusCode::kDeadlineExceeded);
}

TEST(ChildProcessTest, IsKilledOnRequest) {
  const absl::Time soon = absl::Now() + absl::Milliseconds(100);
  ChildProcess child = Shell("exec sleep 30");
  child.cancelled = [soon] { return absl::Now() > soon; };
  EXPECT_EQ(RunToEnd(child).code(), absl::StatusCode::kCancelled);
}

TEST(ChildProcessTest, GetsNothingButItsEnvironmentAndStandardDescriptors) {
  const absl::Status status = RunToEnd(
      Shell("echo $COLOUR $HOME $(ls /proc/$$/fd | tr -d '\\n') >&2; exit 1"));
  EXPECT_THAT(std::string(status.message()), HasSubstr("green 012"));
}

}  // namespace
}  // namespace moeprobe
