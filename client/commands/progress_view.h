#ifndef MOEPROBE_CLIENT_COMMANDS_PROGRESS_VIEW_H_
#define MOEPROBE_CLIENT_COMMANDS_PROGRESS_VIEW_H_

#include <optional>
#include <string>
#include <utility>

#include "absl/time/time.h"
#include "client/commands/screen.h"
#include "moeprobe/v1/job.pb.h"

namespace moeprobe {

// Shows how a job gets on, event by event: one line that is drawn again and
// again on a terminal; in a pipe, a line for each new state, and for a new
// phase or place in the queue once a second at most, the rarer the longer it
// takes, but always when none goes before it any more. Times are those of the
// events.
class ProgressView {
 public:
  // `label` is such as "job 17". `screen` must outlive the view.
  ProgressView(Screen& screen, std::string label);

  // Leaves the line behind that a terminal shows.
  ~ProgressView();
  ProgressView(const ProgressView&) = delete;
  ProgressView& operator=(const ProgressView&) = delete;

  void Observe(const v1::JobEvent& event);

  // Shows a line about the job, such as "waits for 2 GB of memory".
  void Tell(const std::string& text) { Print(text); }

  // The last state seen.
  v1::Job::State state() const { return state_; }
  // Why, where that is a failure or a cancellation.
  const v1::JobError& error() const { return error_; }

 private:
  void ObserveState(const v1::JobEvent& event);
  void ObserveProgress(const v1::JobEvent& event);
  void ObservePlace(const v1::JobEvent& event);
  bool IsLineDue(absl::Time begin);
  void Print(const std::string& text);
  void Draw();
  void DrawLine(const std::string& text);
  std::string Bar(int width) const;
  std::string Position() const;
  std::string Times() const;

  Screen& screen_;
  std::string label_;
  v1::Job::State state_ = v1::Job::STATE_UNSPECIFIED;
  v1::JobError error_;
  v1::Progress progress_;
  absl::Time start_ = absl::InfinitePast();  // of the current attempt
  // When that attempt first told how far it was, and how far.
  std::optional<std::pair<absl::Time, double>> attempt_progress_;
  absl::Time now_ = absl::InfinitePast();
  absl::Time last_line_ = absl::InfinitePast();  // of progress, in a pipe
  v1::Job place_;  // where it stands, as long as it is queued
  absl::Time queued_ = absl::InfinitePast();  // since when
};

}  // namespace moeprobe

#endif  // MOEPROBE_CLIENT_COMMANDS_PROGRESS_VIEW_H_
