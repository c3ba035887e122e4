#ifndef MOEPROBE_CLIENT_RESULT_ARRAY_READER_H_
#define MOEPROBE_CLIENT_RESULT_ARRAY_READER_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "client/service/client.h"
#include "core/base/npy.h"
#include "moeprobe/v1/result.pb.h"

namespace moeprobe {

// Returns some arrays of a job's result, in the order of `infos`, which the
// server listed. For arrays that fit into memory; FetchResult writes all.
//
// Errors: those of the server; DataLoss if an array arrives damaged or is no
// .npy.
absl::StatusOr<std::vector<Array>> ReadArrays(
    Client& client, const std::string& job_name,
    const std::vector<v1::ArrayInfo>& infos);

}  // namespace moeprobe

#endif  // MOEPROBE_CLIENT_RESULT_ARRAY_READER_H_
