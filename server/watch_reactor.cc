#include "server/watch_reactor.h"

#include <grpcpp/support/server_callback.h>
#include <grpcpp/support/status.h>

#include <algorithm>
#include <cstdint>
#include <deque>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "core/base/mutex.h"
#include "core/base/status_macros.h"
#include "moeprobe/v1/job.pb.h"
#include "server/call_gate.h"
#include "server/grpc_status.h"
#include "server/job_changes.h"
#include "server/job_messages.h"
#include "storage/job.h"
#include "storage/job_store.h"
#include "storage/queue_forecast.h"

namespace moeprobe {
namespace {

using Reactor = grpc::ServerWriteReactor<v1::JobEvent>;

constexpr int kBatchSize = 256;
// An expected start that moves by less, or by a tenth of the wait, is no news.
constexpr absl::Duration kStartTolerance = absl::Seconds(10);

// Whether it is worth an event that a job stands at `now`, after `told`.
bool IsNews(const QueuePlace& told, const QueuePlace& now) {
  if (now.jobs_ahead != told.jobs_ahead) return true;
  if (!now.start_time || !told.start_time) {
    return now.start_time.has_value() != told.start_time.has_value();
  }
  const absl::Duration tolerance =
      std::max(kStartTolerance, (*now.start_time - absl::Now()) / 10);
  return absl::AbsDuration(*now.start_time - *told.start_time) > tolerance;
}

// The state of one watch. It outlives the reactor while a notification is
// under way; `reactor_` is null from the end of the call on.
class Watch : public JobWatcher {
 public:
  Watch(Reactor* reactor, const WatchedJob& watched, GatedCall call)
      : reactor_(reactor),
        jobs_(watched.jobs),
        job_(watched.job),
        sequence_(watched.after_sequence),
        call_(std::move(call)) {}

  void OnChange() override {
    const MutexLock lock(mutex_);
    is_stale_ = true;
    Advance();
  }

  // Reads nothing: places are told to many at once, and often.
  void OnPlace(const QueuePlace& place) override {
    const MutexLock lock(mutex_);
    place_.reset();
    if (!told_place_ || IsNews(*told_place_, place)) place_ = place;
    if (!is_stale_) TellPlace();
  }

  void OnStop() override {
    const MutexLock lock(mutex_);
    Finish(absl::UnavailableError("the server is stopping; watch again"));
  }

  void OnWritten(bool ok) {
    const MutexLock lock(mutex_);
    writing_ = false;
    if (ok) {
      Advance();
    } else {
      Finish(absl::CancelledError("the client is gone"));
    }
  }

  void OnCancelled() {
    const MutexLock lock(mutex_);
    Finish(absl::CancelledError("the client is gone"));
  }

 private:
  // Writes the next event, or where the job is now if that is news, or ends
  // after the last, or waits for a change.
  void Advance() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (reactor_ == nullptr || writing_) return;
    if (const absl::Status status = Load(); !status.ok()) {
      Finish(status);
    } else if (!pending_.empty()) {
      sequence_ = pending_.front().sequence;
      Write(pending_.front());
      pending_.pop_front();
    } else if (IsFinal(job_row_.state)) {
      Finish(absl::OkStatus());
    } else if (job_row_.worker && !job_row_.phase.empty() &&
               job_row_.phase != phase_) {
      Write(Now());
    } else {
      TellPlace();
    }
  }

  // Writes where the job stands, if that is news, as long as it is queued.
  void TellPlace() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (reactor_ == nullptr || writing_ || !pending_.empty()) return;
    if (!place_ || job_row_.state != JobState::kQueued) return;
    const QueuePlace place = *place_;
    place_.reset();
    told_place_ = place;
    message_ = ToEvent(place, absl::Now());
    writing_ = true;
    reactor_->StartWrite(&message_);
  }

  // Each time that the job is queued, its place is news.
  void ForgetPlace() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    place_.reset();
    told_place_.reset();
  }

  // Where the job is, which its history need not have.
  JobEventRow Now() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return {.sequence = 0,
            .time = absl::Now(),
            .kind = JobEventRow::Kind::kProgress,
            .text = job_row_.phase,
            .fraction = job_row_.fraction,
            .layers_done = job_row_.layers_done,
            .failure = std::nullopt};
  }

  void Write(const JobEventRow& event) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (event.kind == JobEventRow::Kind::kProgress) phase_ = event.text;
    if (event.kind == JobEventRow::Kind::kState) ForgetPlace();
    message_ = ToMessage(event, job_row_.layer_count);
    writing_ = true;
    reactor_->StartWrite(&message_);
  }

  // Reads again only what may have changed since.
  absl::Status Load() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    MOEPROBE_RETURN_IF_ERROR(call_.Recheck());
    if (!pending_.empty() || !is_stale_) return absl::OkStatus();
    MOEPROBE_ASSIGN_OR_RETURN(
        FollowedJob followed,
        jobs_->Follow(call_.viewer(), job_, sequence_, kBatchSize));
    job_row_ = std::move(followed.job);
    is_stale_ = followed.events.size() == kBatchSize;  // there may be more
    pending_.assign(std::make_move_iterator(followed.events.begin()),
                    std::make_move_iterator(followed.events.end()));
    return absl::OkStatus();
  }

  void Finish(const absl::Status& status)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (reactor_ == nullptr) return;
    std::exchange(reactor_, nullptr)->Finish(call_.End(ToGrpc(status)));
  }

  Mutex mutex_;
  Reactor* reactor_ ABSL_GUARDED_BY(mutex_);
  JobStore* jobs_;
  const int64_t job_;
  int64_t sequence_ ABSL_GUARDED_BY(mutex_);  // of the last event written
  GatedCall call_ ABSL_GUARDED_BY(mutex_);
  std::string phase_ ABSL_GUARDED_BY(mutex_);  // of the last progress written
  JobRow job_row_ ABSL_GUARDED_BY(mutex_);     // as it was read last
  bool writing_ ABSL_GUARDED_BY(mutex_) = false;
  bool is_stale_ ABSL_GUARDED_BY(mutex_) = true;  // what was read last
  std::optional<QueuePlace> place_ ABSL_GUARDED_BY(mutex_);  // to be told
  std::optional<QueuePlace> told_place_ ABSL_GUARDED_BY(mutex_);
  std::deque<JobEventRow> pending_ ABSL_GUARDED_BY(mutex_);
  v1::JobEvent message_ ABSL_GUARDED_BY(mutex_);
};

class WatchReactor : public Reactor {
 public:
  WatchReactor(const WatchedJob& watched, GatedCall call)
      : changes_(watched.changes),
        job_(watched.job),
        watch_(std::make_shared<Watch>(this, watched, std::move(call))) {
    changes_->Add(job_, watch_);
    watch_->OnChange();
  }

  void OnWriteDone(bool ok) override { watch_->OnWritten(ok); }
  void OnCancel() override { watch_->OnCancelled(); }
  void OnDone() override {
    changes_->Remove(job_, watch_);
    delete this;
  }

 private:
  JobChanges* changes_;
  int64_t job_;
  std::shared_ptr<Watch> watch_;
};

class Refusal : public Reactor {
 public:
  explicit Refusal(const grpc::Status& status) { Finish(status); }
  void OnDone() override { delete this; }
};

}  // namespace

Reactor* WatchJobEvents(const WatchedJob& watched, GatedCall call) {
  return new WatchReactor(watched, std::move(call));
}

Reactor* RefuseToWatch(const grpc::Status& status) {
  return new Refusal(status);
}

}  // namespace moeprobe
