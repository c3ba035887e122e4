#ifndef MOEPROBE_SERVER_MODEL_MEMORY_H_
#define MOEPROBE_SERVER_MODEL_MEMORY_H_

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "core/base/mutex.h"
#include "moeprobe/v1/server_service.pb.h"
#include "server/model_files.h"
#include "server/model_registry.h"
#include "server/running_tasks.h"
#include "server/scheduler.h"
#include "storage/access.h"
#include "storage/job_store.h"
#include "storage/pin_store.h"

namespace moeprobe {

// Which models are in memory, and how they come in and go. Workers map weights,
// so what is in the page cache of the machine is there for all of them: to load
// a model is to read it there, to unload it is to let the kernel forget it, and
// to pin it is to lock it there, at the expense of the memory that jobs may
// take. One thread reads, one model after the other. Thread-safe.
//
// A model is the same by each of its names: it is remembered by the one under
// which it is listed. A pin by a name that stands for a revision stays with
// that revision, whatever the name stands for later.
class ModelMemory {
 public:
  // All must outlive the object.
  struct Parts {
    ModelRegistry* models;
    PinStore* pins;
    const RunningTasks* running;
    Scheduler* scheduler;
    JobStore* jobs;
  };
  explicit ModelMemory(const Parts& parts);

  // Pins again what was pinned when a server ran last. Models that are gone, or
  // do not fit any more, stay pinned, and Fill() says why they are not kept.
  absl::Status Restore();

  // All that take a viewer know no model that this one may not see.

  // Reads a model into memory, after this returns. FailedPrecondition, with the
  // figures, if it is larger than what is free.
  absl::Status Load(const Viewer& viewer, const std::string& name);

  // Lets go of a model. FailedPrecondition, with who holds it, if a job uses it
  // or it is pinned.
  absl::Status Unload(const Viewer& viewer, const std::string& name);

  // Keeps a model in memory until Unpin(), over restarts, too; reads it after
  // this returns. Idempotent, but where its files have changed since: then the
  // new ones take the place of the old ones, which stay locked if that fails.
  // There need not be room for both at once, be it of jobs or of the machine,
  // but the limit on locked memory has to allow for both. PermissionDenied for
  // who is no admin; FailedPrecondition, with the figures, if it does not fit.
  absl::Status Pin(const Viewer& viewer, const std::string& name);

  // Ends a pin, whatever has become of the model. Idempotent. PermissionDenied
  // as in Pin(), NotFound if there is neither such a pin nor such a model.
  absl::Status Unpin(const Viewer& viewer, const std::string& name);

  // Returns the models that are pinned, be they there or not, sorted.
  std::vector<std::string> PinnedNames() const;

  // Says how much of a model is in memory, and who uses it: of jobs only what
  // the viewer may see. Of one with a problem, only who has pinned it, if
  // anybody has.
  void Fill(const Viewer& viewer, const OpenedModel& model, v1::Model& message);

 private:
  // A model that was asked for.
  struct Wanted {
    std::string stamp;                // of its directory
    std::optional<ModelFiles> files;  // unset once a load is over, or failed
    std::optional<ModelPin> pin;      // unset: it is loaded, not pinned
    std::string user;                 // who asked
    absl::Time time;                  // when
    std::atomic<bool> reads = true;   // it is read, or will be
    std::atomic<bool> cancelled = false;
    absl::Status problem = absl::OkStatus();  // under the mutex
  };
  using WantedModel = std::shared_ptr<Wanted>;

  static WantedModel Missing(const ModelPin& pin, const absl::Status& problem);
  static int64_t PinnedBytes(const WantedModel& wanted);
  absl::StatusOr<std::string> Rename(const ModelPin& pin);
  absl::StatusOr<WantedModel> Lock(const ModelPin& pin,
                                   const WantedModel& earlier);
  WantedModel Find(const std::string& model) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Forget(const std::string& model) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Enqueue(const std::string& model, WantedModel wanted)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status CheckUnused(const Viewer& viewer,
                           const OpenedModel& model) const;
  void FillHolders(const Viewer& viewer, const OpenedModel& model,
                   v1::ModelMemory& memory) const;
  void FillFiles(const Viewer& viewer, const OpenedModel& model,
                 v1::Model& message) const;
  static void FillWanted(const Wanted& wanted, const OpenedModel& model,
                         v1::ModelMemory& memory);
  static absl::Status Read(const Wanted& wanted, const std::stop_token& stop);
  void ReadAll(const std::stop_token& stop);
  WantedModel NextToRead(const std::stop_token& stop);

  Parts parts_;
  mutable Mutex mutex_;
  // By the names under which they are listed, or were pinned if they are gone.
  std::map<std::string, WantedModel> wanted_ ABSL_GUARDED_BY(mutex_);
  std::deque<WantedModel> to_read_ ABSL_GUARDED_BY(mutex_);
  std::condition_variable_any changed_;
  std::jthread reader_;  // last: uses all of the above
};

}  // namespace moeprobe

#endif  // MOEPROBE_SERVER_MODEL_MEMORY_H_
