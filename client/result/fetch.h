#ifndef MOEPROBE_CLIENT_RESULT_FETCH_H_
#define MOEPROBE_CLIENT_RESULT_FETCH_H_

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

#include "absl/status/statusor.h"
#include "client/service/client.h"
#include "moeprobe/v1/result_service.pb.h"

namespace moeprobe {

// Told how many bytes of how many have arrived.
using FetchProgress = std::function<void(int64_t done, int64_t total)>;

// Writes what there is of a job's result to DIR/arrays.npz, DIR/summary.csv and
// DIR/result.json. They replace files of these names one by one, once all are
// written: a failure before that changes nothing. Returns the result without
// its arrays.
//
// Errors: those of the server; FailedPrecondition if the job has no arrays yet;
// DataLoss if an array arrives damaged; InvalidArgument if `directory` cannot
// be made or its files not replaced; Internal if one cannot be written, as
// where the disk is full.
absl::StatusOr<v1::Result> FetchResult(Client& client,
                                       const std::string& job_name,
                                       const std::filesystem::path& directory,
                                       const FetchProgress& progress);

}  // namespace moeprobe

#endif  // MOEPROBE_CLIENT_RESULT_FETCH_H_
