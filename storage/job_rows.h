// Statements about jobs that several stores share; each runs inside the
// caller's transaction.

#ifndef MOEPROBE_STORAGE_JOB_ROWS_H_
#define MOEPROBE_STORAGE_JOB_ROWS_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "storage/connection.h"
#include "storage/job.h"

namespace moeprobe {

// `name` is one the schema allows.
JobState StateOf(const std::string& name);

const char* NameOf(JobKind kind);
JobKind KindOf(const std::string& name);

// NotFound, in the same words whether there is no such job or it is not for
// whoever asks.
absl::Status NoSuchJob(int64_t id);

// Returns job `id`, or NotFound.
absl::StatusOr<JobRow> SelectJob(Connection& database, int64_t id);

// Where to move a job, and with FAILED and CANCELLED, why.
struct StateChange {
  JobState state = JobState::kQueued;
  std::optional<JobFailure> failure = std::nullopt;
};

// The change that a request to cancel ends in.
StateChange Cancellation(const std::string& message);

// Moves job `id` to another state, as the schema allows, and ends the claim of
// its worker if the new state has none. Here and below `now` is the time of
// day, that of the events that this adds.
void ChangeState(Connection& database, int64_t id, const StateChange& change,
                 absl::Time now);

// Adds those of `warnings` that the job does not have yet.
void AddWarnings(Connection& database, int64_t id,
                 const std::vector<std::string>& warnings, absl::Time now);

// Notes where the numbers of the job's parts come from. Returns whether that is
// news of any of them.
bool NoteProvenance(Connection& database, int64_t id,
                    const std::map<int, std::string>& provenance);

// Gives the job those of `groups` that it lacks and whose key the cache holds,
// with their warnings, and tells of the layers that this makes complete.
// Returns whether there were any.
bool AttachCachedGroups(Connection& database, int64_t id,
                        const std::vector<NeededGroup>& groups, absl::Time now);

// Returns whether the job has all of its groups.
bool HasAllGroups(Connection& database, int64_t id);

// Ends a job whose groups are all there.
void Succeed(Connection& database, int64_t id, absl::Time now);

}  // namespace moeprobe

#endif  // MOEPROBE_STORAGE_JOB_ROWS_H_
