#ifndef MOEPROBE_STORAGE_JOB_H_
#define MOEPROBE_STORAGE_JOB_H_

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "storage/access.h"

namespace moeprobe {

// Place of a job in its life cycle. A queued job waits, a running one is held
// by a worker, a cancelling one was asked to stop; the others are final.
enum class JobState : std::uint8_t {
  kQueued,
  kRunning,
  kCancelling,
  kSucceeded,
  kFailed,
  kCancelled,
};

inline constexpr std::array kJobStates = {
    JobState::kQueued,    JobState::kRunning, JobState::kCancelling,
    JobState::kSucceeded, JobState::kFailed,  JobState::kCancelled};

bool IsFinal(JobState state);

// Such as "QUEUED".
const char* NameOf(JobState state);

// What a job computes.
enum class JobKind : std::uint8_t { kAnalyze, kTrain };

// Which jobs go first: every one with a higher priority before any with a lower
// one, but for those that have waited long; see JobQueue.
enum class JobPriority : std::uint8_t { kLow, kNormal, kHigh };

// Why a job failed or was cancelled.
struct JobFailure {
  int code = 0;  // of absl::StatusCode
  std::string message;
};

// That the results of a job are no longer stored.
struct DroppedResults {
  absl::Time time;
  std::string reason;  // "they were older than 720h (--keep-results)"
};

// What a job is expected to take of a worker; nullopt where nobody can tell.
struct JobNeeds {
  std::optional<double> seconds = {};
  std::optional<int64_t> memory_bytes = {};

  bool operator==(const JobNeeds&) const = default;
};

// A job as stored.
struct JobRow {
  int64_t id = 0;
  Access access;
  JobState state = JobState::kQueued;
  JobKind kind = JobKind::kAnalyze;
  JobPriority priority = JobPriority::kNormal;
  std::string spec;               // resolved request, opaque
  std::string request_key;        // the same for the same resolved request
  int attempt = 0;                // attempts so far
  std::optional<int64_t> worker;  // process id, while one holds it
  int crash_count = 0;            // since it last got a layer
  bool cached = false;
  std::string phase;
  double fraction = 0;
  int layers_done = 0;
  int layer_count = 0;
  std::optional<JobFailure> failure;
  absl::Time create_time;
  std::optional<absl::Time> start_time, end_time;
  // Of its last attempt, or before there is one, of the first.
  JobNeeds needs;
  std::vector<std::string> warnings;
  bool is_kept = false;  // its results are never dropped
  std::optional<DroppedResults> dropped = {};
};

// What happened to a job.
struct JobEventRow {
  enum class Kind : std::uint8_t { kState, kProgress, kLayer, kWarning };
  int64_t sequence = 0;
  absl::Time time;
  Kind kind = Kind::kState;
  JobState state = JobState::kQueued;  // of kState
  std::string text;     // phase of kProgress, name prefix of kLayer, warning
  double fraction = 0;  // of kProgress
  int layers_done = 0;  // of kProgress
  std::optional<JobFailure> failure;  // of kState
};

// A group of arrays that a job needs: one probe at one layer of one part.
struct NeededGroup {
  int part = 0;
  int64_t layer = 0;  // -1: of the whole model
  std::string probe;
  std::string key;  // of the cache; empty while it is not known
};

// One attempt of a worker at a job.
struct AttemptId {
  int64_t job = 0;
  int attempt = 0;

  bool operator==(const AttemptId&) const = default;
};

// Called with the id of a job after a change of it is on disk, from the thread
// that made the change.
using JobListener = std::function<void(int64_t job)>;

}  // namespace moeprobe

#endif  // MOEPROBE_STORAGE_JOB_H_
