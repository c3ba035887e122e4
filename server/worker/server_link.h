#ifndef MOEPROBE_SERVER_WORKER_SERVER_LINK_H_
#define MOEPROBE_SERVER_WORKER_SERVER_LINK_H_

#include <memory>
#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/base/file_descriptor.h"
#include "core/plan/machine_rates.h"
#include "core/probe/probe_result.h"
#include "moeprobe/v1/worker_service.grpc.pb.h"
#include "moeprobe/v1/worker_service.pb.h"

namespace moeprobe {

// Whether this is what a server answers whose disk is full or fails: it is
// there, and the same call may work later. Of one that is gone there is no
// answer, which is Unavailable, too, but knows nothing of later.
bool DiskFails(const absl::Status& status);

// A worker's line to its server: WorkerService with Status in place of gRPC's.
// Thread-safe. Every call but ClaimTask fails with Aborted once the attempt it
// names is no longer the current one, and any with Unavailable once the server
// is gone. Where the server's disk is full or fails (DiskFails), those that
// store something call again for a minute, and then fail as that does.
class ServerLink {
 public:
  // `connection`: see ConnectToServer; it is not made anew once it ends. The
  // server hears how fast this worker is with each claim.
  ServerLink(FileDescriptor connection, const MachineRates& rates);

  // Waits for a task; nullopt if none came for a while.
  absl::StatusOr<std::optional<v1::Task>> ClaimTask() const;

  // Tells how far an attempt is; returns whether it should go on.
  absl::StatusOr<v1::ReportTaskResponse> Report(
      const v1::ReportTaskRequest& request) const;

  absl::Status StoreTokens(const v1::StoreTokensRequest& request) const;

  // Publishes a layer with its arrays, in chunks.
  absl::Status PublishLayer(const v1::FinishedLayer& layer,
                            const std::vector<NamedArray>& arrays) const;

  absl::Status FinishTask(const v1::FinishTaskRequest& request) const;

 private:
  absl::Status TryPublish(const v1::FinishedLayer& layer,
                          const std::vector<NamedArray>& arrays) const;

  std::unique_ptr<v1::WorkerService::Stub> stub_;
  v1::ClaimTaskRequest claim_;
};

}  // namespace moeprobe

#endif  // MOEPROBE_SERVER_WORKER_SERVER_LINK_H_
