#include "server/worker/heartbeat.h"

#include <chrono>
#include <mutex>
#include <stop_token>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/base/mutex.h"
#include "moeprobe/v1/job.pb.h"
#include "moeprobe/v1/worker_service.pb.h"
#include "server/worker/server_link.h"

namespace moeprobe {
namespace {

// Between two reports: at least, so that quick steps do not flood the server,
// and at most, so that it can say stop.
constexpr std::chrono::milliseconds kShortest{100};
constexpr std::chrono::milliseconds kLongest{1000};

}  // namespace

Heartbeat::Heartbeat(const ServerLink& link, const v1::Task& task)
    : link_(link) {
  report_.set_job(task.job());
  report_.set_attempt(task.attempt());
  thread_ = std::jthread([this](const std::stop_token& stop) { Run(stop); });
}

void Heartbeat::Set(const v1::Progress& progress) {
  const MutexLock lock(mutex_);
  *report_.mutable_progress() = progress;
  is_new_ = true;
  changed_.notify_all();
}

absl::Status Heartbeat::status() const {
  const MutexLock lock(mutex_);
  return status_;
}

bool Heartbeat::is_asked_back() const {
  const MutexLock lock(mutex_);
  return is_asked_back_;
}

void Heartbeat::Run(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    v1::ReportTaskRequest report;
    {
      const MutexLock lock(mutex_);
      report = report_;
      is_new_ = false;
    }
    const absl::StatusOr<v1::ReportTaskResponse> answer = link_.Report(report);
    std::unique_lock lock(mutex_);
    // A server whose disk is full or fails has heard of us all the same.
    if (!DiskFails(answer.status())) status_ = answer.status();
    if (answer.ok() && answer->cancel()) {
      status_ = absl::CancelledError("cancelled");
    }
    is_asked_back_ = answer.ok() && answer->give_back();
    if (!status_.ok()) return;
    changed_.wait_for(lock, stop, kShortest, [] { return false; });
    changed_.wait_for(lock, stop, kLongest - kShortest,
                      [this] { return is_new_; });
  }
}

}  // namespace moeprobe
