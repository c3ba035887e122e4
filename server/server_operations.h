#ifndef MOEPROBE_SERVER_SERVER_OPERATIONS_H_
#define MOEPROBE_SERVER_SERVER_OPERATIONS_H_

#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "moeprobe/v1/access.pb.h"
#include "moeprobe/v1/server_service.pb.h"
#include "server/access/audit_log.h"
#include "server/memory_schedule.h"
#include "server/model_memory.h"
#include "server/model_registry.h"
#include "server/running_tasks.h"
#include "server/scheduler.h"
#include "server/server_options.h"
#include "storage/access.h"

namespace moeprobe {

// What the server tells of itself; see ServerService. Thread-safe.
class ServerOperations {
 public:
  // What it tells of. All pointers must outlive the object.
  struct Parts {
    ModelRegistry* models;
    const Scheduler* scheduler;
    const AuditLog* audit;
    const RunningTasks* running;
    const MemorySchedule* memory;
    ModelMemory* model_memory;
    MemoryBudget memory_budget;
    int worker_count;
    int threads_per_worker;
    v1::Visibility default_visibility;
    std::optional<v1::Isolation> isolation;  // of the workers that it starts
  };
  explicit ServerOperations(Parts parts) : parts_(std::move(parts)) {}

  v1::ServerInfo GetInfo() const;
  // Lists what is pinned as well, be it there or not, as far as the viewer may
  // see it.
  absl::StatusOr<v1::ListModelsResponse> ListModels(
      const Viewer& viewer, const v1::ListModelsRequest& request);

  // Return the model as it is then.
  absl::StatusOr<v1::Model> LoadModel(const Viewer& viewer,
                                      const std::string& name);
  absl::StatusOr<v1::Model> UnloadModel(const Viewer& viewer,
                                        const std::string& name);
  absl::StatusOr<v1::Model> PinModel(const Viewer& viewer,
                                     const std::string& name);
  absl::StatusOr<v1::Model> UnpinModel(const Viewer& viewer,
                                       const std::string& name);

 private:
  v1::Model Show(const Viewer& viewer, const OpenedModel& opened);
  absl::StatusOr<v1::Model> ShowNow(const Viewer& viewer,
                                    const std::string& name,
                                    const absl::Status& status);

  Parts parts_;
};

}  // namespace moeprobe

#endif  // MOEPROBE_SERVER_SERVER_OPERATIONS_H_
