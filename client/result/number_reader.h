#ifndef MOEPROBE_CLIENT_RESULT_NUMBER_READER_H_
#define MOEPROBE_CLIENT_RESULT_NUMBER_READER_H_

#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "client/service/client.h"
#include "moeprobe/v1/result.pb.h"

namespace moeprobe {

// Returns the entries of float64 arrays of a job, by name. Errors: those of
// the server; DataLoss if an array arrives damaged or has another type.
absl::StatusOr<std::map<std::string, std::vector<double>>> ReadNumbers(
    Client& client, const std::string& job_name,
    const std::vector<v1::ArrayInfo>& infos);

}  // namespace moeprobe

#endif  // MOEPROBE_CLIENT_RESULT_NUMBER_READER_H_
