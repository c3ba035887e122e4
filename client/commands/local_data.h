#ifndef MOEPROBE_CLIENT_COMMANDS_LOCAL_DATA_H_
#define MOEPROBE_CLIENT_COMMANDS_LOCAL_DATA_H_

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client/request/request_reader.h"
#include "client/service/client.h"
#include "moeprobe/v1/dataset_service.pb.h"

namespace moeprobe {

// A data set of a request that is a file on this machine.
struct LocalData {
  std::filesystem::path path;
  std::string field;    // "data[0].text"
  v1::Dataset dataset;  // named by its digest
};

// Finds the data sets of `request` that are files here, absolute or relative to
// `directory`, hashes them, and puts their names by digest into the spec. All
// others are left to the server to know. Those who may see the job may see
// them.
//
// Returns InvalidArgument, with the place in the request, for a file that
// cannot be read, is empty or is not a regular file, and for an absolute path
// where there is none.
absl::StatusOr<std::vector<LocalData>> FindLocalData(
    Request& request, const std::filesystem::path& directory);

// Told how many bytes of a data set have been sent.
using UploadProgress = std::function<void(const LocalData&, int64_t done)>;

// Uploads `data` unless the server has it. Errors are those of the server, or
// of reading the file.
absl::Status UploadOnce(Client& client, const LocalData& data,
                        const UploadProgress& progress);

}  // namespace moeprobe

#endif  // MOEPROBE_CLIENT_COMMANDS_LOCAL_DATA_H_
