#ifndef MOEPROBE_SERVER_WORKER_SERVICE_H_
#define MOEPROBE_SERVER_WORKER_SERVICE_H_

#include <grpcpp/server_context.h>
#include <grpcpp/support/status.h>
#include <grpcpp/support/sync_stream.h>

#include "moeprobe/v1/worker_service.grpc.pb.h"
#include "server/scheduler.h"
#include "server/task_operations.h"

namespace moeprobe {

// The service for workers. Each call is one call of the scheduler or the
// operations, which must outlive the service.
class WorkerServiceImpl final : public v1::WorkerService::Service {
 public:
  WorkerServiceImpl(Scheduler* scheduler, TaskOperations* operations)
      : scheduler_(scheduler), operations_(operations) {}

  grpc::Status ClaimTask(grpc::ServerContext* context,
                         const v1::ClaimTaskRequest* request,
                         v1::ClaimTaskResponse* response) override;
  grpc::Status ReportTask(grpc::ServerContext* context,
                          const v1::ReportTaskRequest* request,
                          v1::ReportTaskResponse* response) override;
  grpc::Status StoreTokens(grpc::ServerContext* context,
                           const v1::StoreTokensRequest* request,
                           v1::StoreTokensResponse* response) override;
  grpc::Status PublishLayer(grpc::ServerContext* context,
                            grpc::ServerReader<v1::PublishLayerRequest>* reader,
                            v1::PublishLayerResponse* response) override;
  grpc::Status FinishTask(grpc::ServerContext* context,
                          const v1::FinishTaskRequest* request,
                          v1::FinishTaskResponse* response) override;

 private:
  Scheduler* scheduler_;
  TaskOperations* operations_;
};

}  // namespace moeprobe

#endif  // MOEPROBE_SERVER_WORKER_SERVICE_H_
