#include "client/commands/progress_view.h"

#include <cstddef>
#include <cstdint>
#include <sstream>
#include <string>

#include "client/commands/screen.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "moeprobe/v1/job.pb.h"

namespace moeprobe {
namespace {

using testing::EndsWith;
using testing::HasSubstr;

v1::JobEvent At(int64_t seconds) {
  v1::JobEvent event;
  event.mutable_time()->set_seconds(1000 + seconds);
  return event;
}

v1::JobEvent State(int64_t seconds, v1::Job::State state) {
  v1::JobEvent event = At(seconds);
  event.set_state(state);
  return event;
}

v1::JobEvent Progress(int64_t seconds, double fraction,
                      const std::string& phase) {
  v1::JobEvent event = At(seconds);
  event.mutable_progress()->set_fraction(fraction);
  event.mutable_progress()->set_phase(phase);
  return event;
}

v1::JobEvent Place(int64_t seconds, int queue_position) {
  v1::JobEvent event = At(seconds);
  event.mutable_place()->set_queue_position(queue_position);
  return event;
}

v1::JobEvent Warning(const std::string& warning) {
  v1::JobEvent event = At(0);
  event.set_warning(warning);
  return event;
}

// What is left on the line that was drawn last.
std::string LastDrawn(const std::string& output) {
  const size_t end = output.rfind("\x1B[K");
  const size_t start = output.rfind('\r', end);
  return output.substr(start + 1, end - start - 1);
}

TEST(ProgressViewTest, WritesPlainLinesInAPipe) {
  std::ostringstream out;
  Screen pipe(out, false, 80);
  {
    ProgressView view(pipe, "job 17");
    view.Observe(State(0, v1::Job::STATE_QUEUED));
    view.Observe(State(5, v1::Job::STATE_RUNNING));
    view.Observe(Progress(5, 0, "layer 0"));
    view.Observe(Progress(20, 0.25, "layer 1"));
    view.Observe(Progress(30, 0.3, "layer 1"));
    view.Observe(Warning("expert 3\nhas \x1B[2J few tokens"));
    view.Observe(State(65, v1::Job::STATE_SUCCEEDED));
    EXPECT_EQ(view.state(), v1::Job::STATE_SUCCEEDED);
  }
  EXPECT_EQ(out.str(),
            "job 17: queued\n"
            "job 17: running\n"
            "job 17:   0 %  0:00  layer 0\n"
            "job 17:  25 %  0:15, 0:45 left  layer 1\n"
            "job 17: warning: expert 3 has \uFFFD[2J few tokens\n"
            "job 17: succeeded after 1:00\n");
}

TEST(ProgressViewTest, WritesALineASecondAtMostInAPipe) {
  std::ostringstream out;
  Screen pipe(out, false, 80);
  ProgressView view(pipe, "job 17");
  view.Observe(State(0, v1::Job::STATE_RUNNING));
  for (const char* phase : {"a", "b", "c"}) {
    view.Observe(Progress(1, 0.5, phase));
  }
  EXPECT_THAT(out.str(), HasSubstr("0:01  a\n"));
  EXPECT_THAT(out.str(), testing::Not(HasSubstr("0:01  b\n")));
}

TEST(ProgressViewTest, WritesFewerLinesTheLongerAJobTakes) {
  std::ostringstream out;
  Screen pipe(out, false, 80);
  ProgressView view(pipe, "job 17");
  view.Observe(State(0, v1::Job::STATE_RUNNING));
  view.Observe(Progress(3600, 0.5, "a"));
  view.Observe(Progress(3660, 0.5, "b"));
  view.Observe(Progress(3720, 0.5, "c"));
  EXPECT_EQ(out.str(),
            "job 17: running\n"
            "job 17:  50 %  1:00:00  a\n"
            "job 17:  50 %  1:02:00  c\n");
}

TEST(ProgressViewTest, WritesWhereAJobStandsWhenItMoved) {
  std::ostringstream out;
  Screen pipe(out, false, 80);
  ProgressView view(pipe, "job 17");
  view.Observe(State(0, v1::Job::STATE_QUEUED));
  view.Observe(Place(1, 2));
  view.Observe(Place(2, 2));  // another start
  view.Observe(Place(3, 1));
  view.Observe(State(4, v1::Job::STATE_RUNNING));
  EXPECT_EQ(out.str(),
            "job 17: queued\n"
            "job 17: queued, 2 ahead, start unknown\n"
            "job 17: queued, 1 ahead, start unknown\n"
            "job 17: running\n");
}

TEST(ProgressViewTest, WritesFewerPlacesTheLongerAJobWaitsButThatItGoesNext) {
  std::ostringstream out;
  Screen pipe(out, false, 80);
  ProgressView view(pipe, "job 17");
  view.Observe(State(0, v1::Job::STATE_QUEUED));
  view.Observe(Place(3600, 9));
  view.Observe(Place(3660, 8));
  view.Observe(Place(3720, 7));
  view.Observe(Place(3721, 0));
  EXPECT_EQ(out.str(),
            "job 17: queued\n"
            "job 17: queued, 9 ahead, start unknown\n"
            "job 17: queued, 7 ahead, start unknown\n"
            "job 17: queued, start unknown\n");
}

TEST(ProgressViewTest, WritesNoPlaceOfAJobThatNoneWentBefore) {
  std::ostringstream out;
  Screen pipe(out, false, 80);
  ProgressView view(pipe, "job 17");
  view.Observe(State(0, v1::Job::STATE_QUEUED));
  view.Observe(Place(1, 0));
  EXPECT_EQ(out.str(), "job 17: queued\n");
}

TEST(ProgressViewTest, DrawsWhereAJobStandsOnATerminal) {
  std::ostringstream out;
  Screen terminal(out, true, 80);
  ProgressView view(terminal, "job 17");
  view.Observe(State(0, v1::Job::STATE_QUEUED));
  view.Observe(Place(1, 2));
  EXPECT_EQ(LastDrawn(out.str()), "job 17 queued, 2 ahead, start unknown");
  view.Observe(Place(2, 0));
  EXPECT_EQ(LastDrawn(out.str()), "job 17 queued, start unknown");
  view.Observe(State(3, v1::Job::STATE_RUNNING));
  view.Observe(Progress(3, 0, "layer 0"));
  EXPECT_THAT(LastDrawn(out.str()), EndsWith("layer 0"));
}

// The line of a job half done on a terminal so wide.
std::string LineOf(int width) {
  std::ostringstream out;
  Screen terminal(out, true, width);
  ProgressView view(terminal, "job 17");
  view.Observe(State(0, v1::Job::STATE_RUNNING));
  view.Observe(Progress(0, 0, "layer 0"));
  view.Observe(Progress(10, 0.5, "model layer 16 of 32"));
  return LastDrawn(out.str());
}

TEST(ProgressViewTest, DrawsABarOfAQuarterOfTheTerminal) {
  EXPECT_EQ(
      LineOf(80),
      "job 17 \u2588\u2588\u2588\u2588\u2588\u2588\u2588\u2588\u2588\u2588"
      "\u2591\u2591\u2591\u2591\u2591\u2591\u2591\u2591\u2591\u2591"
      "  50 %  0:10, 0:10 left  model layer 16 of 32");
}

TEST(ProgressViewTest, CutsWhatDoesNotFitTheTerminal) {
  EXPECT_EQ(LineOf(20), "job 17 \u2588\u2588\u2591\u2591\u2591  50 % ");
}

TEST(ProgressViewTest, LeavesACleanLineOnATerminal) {
  std::ostringstream out;
  Screen terminal(out, true, 80);
  {
    ProgressView view(terminal, "job 17");
    view.Observe(State(0, v1::Job::STATE_RUNNING));
    view.Observe(Progress(1, 0.5, "layer 0"));
  }
  EXPECT_THAT(out.str(), EndsWith("\r\x1B[K"));
}

TEST(ProgressViewTest, StartsTheClockAgainWithEachAttempt) {
  std::ostringstream out;
  Screen pipe(out, false, 80);
  ProgressView view(pipe, "job 17");
  view.Observe(State(0, v1::Job::STATE_RUNNING));
  view.Observe(Progress(100, 0.9, "layer 7"));
  view.Observe(State(101, v1::Job::STATE_QUEUED));
  view.Observe(State(110, v1::Job::STATE_RUNNING));
  view.Observe(Progress(110, 0.5, "layer 4"));
  view.Observe(Progress(120, 0.75, "layer 6"));
  EXPECT_THAT(out.str(), EndsWith(" 75 %  0:10, 0:10 left  layer 6\n"));
}

TEST(ProgressViewTest, KeepsTheReasonOfAFailure) {
  std::ostringstream out;
  Screen pipe(out, false, 80);
  ProgressView view(pipe, "job 17");
  v1::JobEvent failed = State(0, v1::Job::STATE_FAILED);
  failed.mutable_error()->set_message("no memory");
  view.Observe(failed);
  EXPECT_EQ(view.state(), v1::Job::STATE_FAILED);
  EXPECT_EQ(view.error().message(), "no memory");
}

TEST(ProgressViewTest, PassesOverEventsItDoesNotKnow) {
  std::ostringstream out;
  Screen pipe(out, false, 80);
  ProgressView view(pipe, "job 17");
  view.Observe(At(0));
  EXPECT_EQ(out.str(), "");
}

}  // namespace
}  // namespace moeprobe
