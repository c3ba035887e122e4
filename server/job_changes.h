#ifndef MOEPROBE_SERVER_JOB_CHANGES_H_
#define MOEPROBE_SERVER_JOB_CHANGES_H_

#include <cstdint>
#include <map>
#include <memory>
#include <unordered_map>

#include "core/base/mutex.h"
#include "storage/queue_forecast.h"

namespace moeprobe {

// Somebody who wants to know when a job changes.
class JobWatcher {
 public:
  virtual ~JobWatcher() = default;

  // The job may have new events. Called from any thread; must not wait long.
  virtual void OnChange() = 0;

  // The job, which is queued, stands here. As OnChange().
  virtual void OnPlace(const QueuePlace& place) = 0;

  // The server stops: there will be no more calls.
  virtual void OnStop() = 0;
};

// Tells watchers of jobs about changes. Thread-safe.
class JobChanges {
 public:
  void Add(int64_t job, const std::shared_ptr<JobWatcher>& watcher);

  // Tells a watcher nothing any more, but for a call that is under way.
  void Remove(int64_t job, const std::shared_ptr<JobWatcher>& watcher);

  // Tells the watchers of `job`.
  void Notify(int64_t job);

  // Tells the watchers of all jobs: whoever watches may be let in no more.
  void NotifyAll();

  // Tells those whose jobs have a place.
  void TellPlaces(const std::unordered_map<int64_t, QueuePlace>& places);

  // Whether anybody watches anything.
  bool is_watched();

  // Tells all watchers, and later ones when they are added, that the server
  // stops.
  void Stop();

 private:
  Mutex mutex_;
  bool stopped_ ABSL_GUARDED_BY(mutex_) = false;
  std::multimap<int64_t, std::shared_ptr<JobWatcher>> watchers_
      ABSL_GUARDED_BY(mutex_);
};

}  // namespace moeprobe

#endif  // MOEPROBE_SERVER_JOB_CHANGES_H_
