#include "server/job_changes.h"

#include <cstdint>
#include <map>
#include <memory>
#include <vector>

#include "core/base/mutex.h"

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
