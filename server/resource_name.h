#ifndef MOEPROBE_SERVER_RESOURCE_NAME_H_
#define MOEPROBE_SERVER_RESOURCE_NAME_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"

namespace moeprobe {

// jobs/{id}
std::string JobName(int64_t id);
// Returns the id, or InvalidArgument if `name` is not the name of a job.
absl::StatusOr<int64_t> ParseJobName(const std::string& name);

// datasets/{sha256}
std::string DatasetName(const std::string& sha256);
// Returns the digest, or InvalidArgument if `name` is not the name of a data
// set.
absl::StatusOr<std::string> ParseDatasetName(const std::string& name);

// users/{user}
std::string UserName(const std::string& user);
// Returns the user, or InvalidArgument if `name` is not the name of one.
absl::StatusOr<std::string> ParseUserName(const std::string& name);

// Whether `text` is a SHA-256 in lower-case hexadecimal.
bool IsSha256(const std::string& text);

// Whether `text` is a UUID, such as "123e4567-e89b-12d3-a456-426614174000".
bool IsUuid(const std::string& text);

}  // namespace moeprobe

#endif  // MOEPROBE_SERVER_RESOURCE_NAME_H_
