#include "server/job_changes.h"

#include <cstdint>
#include <map>
#include <memory>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core/base/mutex.h"
#include "storage/queue_forecast.h"

namespace moeprobe {

void JobChanges::Add(int64_t job, const std::shared_ptr<JobWatcher>& watcher) {
  {
    const MutexLock lock(mutex_);
    watchers_.emplace(job, watcher);
    if (!stopped_) return;
  }
  watcher->OnStop();
}

void JobChanges::Remove(int64_t job,
                        const std::shared_ptr<JobWatcher>& watcher) {
  const MutexLock lock(mutex_);
  const auto [begin, end] = watchers_.equal_range(job);
  for (auto entry = begin; entry != end; ++entry) {
    if (entry->second != watcher) continue;
    watchers_.erase(entry);
    return;
  }
}

void JobChanges::Notify(int64_t job) {
  std::vector<std::shared_ptr<JobWatcher>> watchers;
  {
    const MutexLock lock(mutex_);
    const auto [begin, end] = watchers_.equal_range(job);
    for (auto entry = begin; entry != end; ++entry) {
      watchers.push_back(entry->second);
    }
  }
  for (const auto& watcher : watchers) watcher->OnChange();
}

void JobChanges::NotifyAll() {
  std::multimap<int64_t, std::shared_ptr<JobWatcher>> watchers;
  {
    const MutexLock lock(mutex_);
    watchers = watchers_;
  }
  for (const auto& [job, watcher] : watchers) watcher->OnChange();
}

void JobChanges::TellPlaces(
    const std::unordered_map<int64_t, QueuePlace>& places) {
  std::vector<std::pair<std::shared_ptr<JobWatcher>, QueuePlace>> told;
  {
    const MutexLock lock(mutex_);
    for (const auto& [job, watcher] : watchers_) {
      const auto place = places.find(job);
      if (place != places.end()) told.emplace_back(watcher, place->second);
    }
  }
  for (const auto& [watcher, place] : told) watcher->OnPlace(place);
}

bool JobChanges::is_watched() {
  const MutexLock lock(mutex_);
  return !watchers_.empty();
}

void JobChanges::Stop() {
  std::multimap<int64_t, std::shared_ptr<JobWatcher>> watchers;
  {
    const MutexLock lock(mutex_);
    stopped_ = true;
    watchers = watchers_;
  }
  for (const auto& [job, watcher] : watchers) watcher->OnStop();
}

}  // namespace moeprobe
