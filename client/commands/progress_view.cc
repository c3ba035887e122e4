#include "client/commands/progress_view.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/time.h"
#include "client/commands/job_text.h"
#include "client/commands/screen.h"
#include "client/result/result_json.h"
#include "client/service/client.h"
#include "client/text/format.h"
#include "core/base/printable.h"
#include "core/base/utf8.h"
#include "moeprobe/v1/job.pb.h"
#include "spec/timestamp.h"

namespace moeprobe {
namespace {

constexpr int kWidestBar = 30;
constexpr int kNarrowestBar = 5;
// Between lines of progress in a pipe, and the share of the time so far: logs
// of long jobs do not grow with every step that one trains.
constexpr absl::Duration kShortestPause = absl::Seconds(1);
constexpr int kPauses = 50;

// The first `width` characters.
std::string Clip(const std::string& text, int width) {
  std::string_view rest = text;
  for (int i = 0; i < width && !rest.empty(); ++i) {
    const auto character = DecodeUtf8(rest);
    rest.remove_prefix(character ? character->size_bytes : 1);
  }
  return text.substr(0, text.size() - rest.size());
}

}  // namespace

ProgressView::ProgressView(Screen& screen, std::string label)
    : screen_(screen), label_(std::move(label)) {}

ProgressView::~ProgressView() { screen_.Erase(); }

void ProgressView::Observe(const v1::JobEvent& event) {
  now_ = ToTime(event.time());
  switch (event.event_case()) {
    case v1::JobEvent::kState:
      ObserveState(event);
      break;
    case v1::JobEvent::kProgress:
      ObserveProgress(event);
      break;
    case v1::JobEvent::kPlace:
      ObservePlace(event);
      break;
    case v1::JobEvent::kWarning:
      Print(absl::StrCat("warning: ", PrintableLine(event.warning())));
      break;
    default:  // a layer, which progress tells of too, or news to this version
      break;
  }
  Draw();
}

void ProgressView::ObserveState(const v1::JobEvent& event) {
  state_ = event.state();
  error_ = event.error();
  std::string text = StateName(state_);
  place_.Clear();
  if (state_ == v1::Job::STATE_QUEUED) queued_ = now_;
  if (state_ == v1::Job::STATE_RUNNING) {
    start_ = now_;
    progress_.Clear();
    attempt_progress_.reset();
  } else if (IsFinal(state_) && start_ != absl::InfinitePast()) {
    absl::StrAppend(&text, " after ", FormatClock(now_ - start_));
  } else if (state_ == v1::Job::STATE_QUEUED && !error_.message().empty()) {
    absl::StrAppend(&text, " again: ", PrintableLine(error_.message()));
  }
  Print(text);
}

void ProgressView::ObserveProgress(const v1::JobEvent& event) {
  const bool new_phase = event.progress().phase() != progress_.phase();
  progress_ = event.progress();
  if (!attempt_progress_) attempt_progress_ = {now_, progress_.fraction()};
  if (new_phase && !screen_.is_terminal() && IsLineDue(start_)) {
    Print(Position());
  }
}

// In a pipe, a job that nobody went before is not worth a line.
void ProgressView::ObservePlace(const v1::JobEvent& event) {
  const int before = place_.queue_position();
  place_.set_state(v1::Job::STATE_QUEUED);
  place_.set_queue_position(event.place().queue_position());
  place_.clear_estimated_start_time();
  if (event.place().has_estimated_start_time()) {
    *place_.mutable_estimated_start_time() =
        event.place().estimated_start_time();
  }
  if (place_.queue_position() == before || screen_.is_terminal()) return;
  if (IsLineDue(queued_) || place_.queue_position() == 0) {
    Print(StateText(place_));
  }
}

// Whether there has been no such line for long enough, of what began then; one
// that is due is written now.
bool ProgressView::IsLineDue(absl::Time begin) {
  const absl::Duration pause =
      std::max(kShortestPause, (now_ - begin) / kPauses);
  if (now_ - last_line_ < pause) return false;
  last_line_ = now_;
  return true;
}

void ProgressView::Print(const std::string& text) {
  screen_.Print(absl::StrCat(label_, ": ", text, "\n"));
}

void ProgressView::Draw() {
  if (!screen_.is_terminal()) return;
  if (place_.state() == v1::Job::STATE_QUEUED) DrawLine(StateText(place_));
  if (state_ != v1::Job::STATE_RUNNING) return;
  const int bar = std::clamp(screen_.width() / 4, kNarrowestBar, kWidestBar);
  DrawLine(absl::StrCat(Bar(bar), " ", Position()));
}

void ProgressView::DrawLine(const std::string& text) {
  // The last column stays empty: some terminals wrap there.
  screen_.Draw(Clip(absl::StrCat(label_, " ", text), screen_.width() - 1));
}

// "42 %  0:12, 0:17 left  model layer 3 of 32": what may be cut comes last.
std::string ProgressView::Position() const {
  return absl::StrFormat("%3.0f %%  %s  %s",
                         std::floor(100 * progress_.fraction()), Times(),
                         PrintableLine(progress_.phase()));
}

std::string ProgressView::Bar(int width) const {
  const auto full =
      static_cast<int>(std::clamp(progress_.fraction(), 0.0, 1.0) * width);
  std::string bar;
  for (int i = 0; i < width; ++i) bar += i < full ? "\u2588" : "\u2591";
  return bar;
}

std::string ProgressView::Times() const {
  std::string times = FormatClock(now_ - start_);
  if (!attempt_progress_) return times;
  const auto& [begin, begin_fraction] = *attempt_progress_;
  const double done = progress_.fraction() - begin_fraction;
  if (done <= 0 || progress_.fraction() >= 1) return times;
  const absl::Duration left =
      (now_ - begin) * ((1 - progress_.fraction()) / done);
  return absl::StrCat(times, ", ", FormatClock(left), " left");
}

}  // namespace moeprobe
