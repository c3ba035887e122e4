#ifndef MOEPROBE_STORAGE_SCHEMA_OBJECTS_H_
#define MOEPROBE_STORAGE_SCHEMA_OBJECTS_H_

#include "absl/status/status.h"
#include "storage/connection.h"

namespace moeprobe {

// OK if a database of the newest schema has exactly the tables, indexes and
// triggers that its steps make. FailedPrecondition names one that was planted,
// changed or taken away: what runs inside the file is only what we wrote.
absl::Status CheckSchemaObjects(Connection& database);

}  // namespace moeprobe

#endif  // MOEPROBE_STORAGE_SCHEMA_OBJECTS_H_
