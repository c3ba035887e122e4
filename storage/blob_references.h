#ifndef MOEPROBE_STORAGE_BLOB_REFERENCES_H_
#define MOEPROBE_STORAGE_BLOB_REFERENCES_H_

#include <set>
#include <string>

#include "storage/connection.h"

namespace moeprobe {

// Returns the SHA-256 of every blob that some row stands for: large arrays,
// data sets and token ids.
std::set<std::string> BlobReferences(Connection& database);

}  // namespace moeprobe

#endif  // MOEPROBE_STORAGE_BLOB_REFERENCES_H_
