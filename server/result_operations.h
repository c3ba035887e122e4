#ifndef MOEPROBE_SERVER_RESULT_OPERATIONS_H_
#define MOEPROBE_SERVER_RESULT_OPERATIONS_H_

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "moeprobe/v1/result.pb.h"
#include "moeprobe/v1/result_service.pb.h"
#include "server/job_places.h"
#include "storage/access.h"
#include "storage/job.h"
#include "storage/job_store.h"
#include "storage/result_store.h"

namespace moeprobe {

// What users do with results; see ResultService. Thread-safe.
class ResultOperations {
 public:
  // All must outlive the object.
  ResultOperations(JobStore* jobs, ResultStore* results,
                   const JobPlaces* places)
      : jobs_(jobs), results_(results), places_(places) {}

  absl::StatusOr<v1::Result> Get(const Viewer& user, const std::string& name);

  // Hands the arrays to `write`, in chunks, until it returns false.
  absl::Status Read(const Viewer& user, const v1::ReadArraysRequest& request,
                    const std::function<bool(const v1::ArrayChunk&)>& write);

 private:
  // Returns a job whose results are stored. Errors: those of JobStore::Get and
  // ResultsDropped. Asked once more after they were read, it says whether that
  // was all of them: first a job is marked as dropped, or deleted, and then
  // they go.
  absl::StatusOr<JobRow> Find(const Viewer& user, int64_t job);
  absl::Status FillProvenance(int64_t job, const std::vector<JobArray>& arrays,
                              v1::Result& result);

  JobStore* jobs_;
  ResultStore* results_;
  const JobPlaces* places_;
};

}  // namespace moeprobe

#endif  // MOEPROBE_SERVER_RESULT_OPERATIONS_H_
