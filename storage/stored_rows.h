// Statements about what results take and whose they are; each runs inside the
// caller's transaction.

#ifndef MOEPROBE_STORAGE_STORED_ROWS_H_
#define MOEPROBE_STORAGE_STORED_ROWS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "storage/connection.h"
#include "storage/job.h"

namespace moeprobe {

// Notes the runs that a job trains or analyses.
void InsertRuns(Connection& database, int64_t job,
                const std::vector<std::string>& runs);

// Whether the runs of all jobs that train models are noted: not in databases of
// before they were, until a server has looked at them.
bool KnowsRuns(Connection& database);

// Returns the bytes of arrays and models: of all, and of those that the jobs of
// `owner` answer for. What belongs to several jobs counts once, for the one
// that had it first; when that one lets go, for the oldest of the others.
int64_t StoredBytes(Connection& database);
int64_t StoredBytesOf(Connection& database, const std::string& owner);

// FailedPrecondition that says when and why the results of a job were dropped.
absl::Status ResultsDropped(int64_t job, const DroppedResults& dropped);

}  // namespace moeprobe

#endif  // MOEPROBE_STORAGE_STORED_ROWS_H_
