#ifndef MOEPROBE_SERVER_SERVER_OPERATIONS_H_
#define MOEPROBE_SERVER_SERVER_OPERATIONS_H_

#include "absl/status/statusor.h"
#include "moeprobe/v1/server_service.pb.h"
#include "server/model_registry.h"
#include "server/scheduler.h"

namespace moeprobe {

// What the server tells of itself; see ServerService. Thread-safe.
class ServerOperations {
 public:
  // Both must outlive the object.
  ServerOperations(ModelRegistry* models, const Scheduler* scheduler,
                   int worker_count, int threads_per_worker)
      : models_(models),
        scheduler_(scheduler),
        worker_count_(worker_count),
        threads_per_worker_(threads_per_worker) {}

  v1::ServerInfo GetInfo() const;
  absl::StatusOr<v1::ListModelsResponse> ListModels(
      const v1::ListModelsRequest& request);

 private:
  ModelRegistry* models_;
  const Scheduler* scheduler_;
  int worker_count_;
  int threads_per_worker_;
};

}  // namespace moeprobe

#endif  // MOEPROBE_SERVER_SERVER_OPERATIONS_H_
