#include "server/job_changes.h"

#include <cstdint>
#include <memory>
#include <vector>

#include "core/base/mutex.h"

namespace moeprobe {

void JobChanges::Add(int64_t job, const std::weak_ptr<JobWatcher>& watcher) {
  {
    const MutexLock lock(mutex_);
    watchers_.emplace(job, watcher);
    if (!stopped_) return;
  }
  if (const auto alive = watcher.lock()) alive->OnStop();
}

void JobChanges::Notify(int64_t job) {
  std::vector<std::shared_ptr<JobWatcher>> watchers;
  {
    const MutexLock lock(mutex_);
    const auto [begin, end] = watchers_.equal_range(job);
    for (auto entry = begin; entry != end;) {
      if (auto alive = entry->second.lock()) {
        watchers.push_back(std::move(alive));
        ++entry;
      } else {
        entry = watchers_.erase(entry);
      }
    }
  }
  for (const auto& watcher : watchers) watcher->OnChange();
}

void JobChanges::Stop() {
  std::multimap<int64_t, std::weak_ptr<JobWatcher>> watchers;
  {
    const MutexLock lock(mutex_);
    stopped_ = true;
    watchers = watchers_;
  }
  for (const auto& [job, watcher] : watchers) {
    if (const auto alive = watcher.lock()) alive->OnStop();
  }
}

}  // namespace moeprobe
