#include "storage/job_rows.h"

#include <SQLiteCpp/Column.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "storage/connection.h"
#include "storage/job.h"
#include "storage/statement.h"

namespace moeprobe {
namespace {

constexpr std::array<const char*, 6> kStateNames = {
    "QUEUED", "RUNNING", "CANCELLING", "SUCCEEDED", "FAILED", "CANCELLED"};

constexpr const char* kAnalyzeName = "analyze";
constexpr const char* kTrainName = "train";

constexpr const char* kSelectJob = R"sql(
SELECT state, spec, request_key, attempt, worker, crash_count, cached, phase,
  fraction, layers_done, layer_count, error_code, error_message, create_time,
  start_time, end_time, estimated_seconds, kind, owner, private, priority,
  kept, drop_time, drop_reason,
  memory_bytes
FROM job WHERE id = ?1)sql";

constexpr const char* kAddEvent = R"sql(
INSERT INTO event(job, sequence, time, kind, text)
SELECT ?1, coalesce(max(sequence), 0) + 1, ?2, ?3, ?4
FROM event WHERE job = ?1)sql";

constexpr const char* kAttach = R"sql(
UPDATE job_group SET entry = (SELECT id FROM cache_entry WHERE key = ?5)
WHERE job = ?1 AND part = ?2 AND layer = ?3 AND probe = ?4 AND entry IS NULL
AND EXISTS (SELECT 1 FROM cache_entry WHERE key = ?5))sql";

// No row where a group of the layer is missing.
constexpr const char* kNameIfComplete = R"sql(
SELECT p.prefix || 'layer' || ?3 || '/' FROM job_part p
WHERE p.job = ?1 AND p.part = ?2 AND NOT EXISTS (
  SELECT 1 FROM job_group g WHERE g.job = ?1 AND g.part = ?2 AND g.layer = ?3
  AND g.entry IS NULL))sql";

constexpr const char* kWarningsOfLayer = R"sql(
SELECT DISTINCT p.prefix, w.text
FROM job_group g JOIN job_part p ON p.job = g.job AND p.part = g.part
JOIN cache_warning w ON w.entry = g.entry
WHERE g.job = ?1 AND g.part = ?2 AND g.layer = ?3 ORDER BY w.text)sql";

// A layer of a part of a job.
using PartLayer = std::pair<int, int64_t>;

std::optional<absl::Time> ReadTime(const SQLite::Column& column) {
  if (column.isNull()) return std::nullopt;
  return absl::FromUnixMicros(column.getInt64());
}

std::vector<std::string> SelectWarnings(Connection& database, int64_t id) {
  return SelectTexts(
      Query(database,
            "SELECT text FROM event WHERE job = ?1 AND kind = 'warning' "
            "ORDER BY sequence",
            id));
}

JobRow ReadJob(Statement& query, int64_t id) {
  JobRow row;
  row.id = id;
  row.state = StateOf(query.getColumn(0).getString());
  row.spec = query.getColumn(1).getString();
  row.request_key = query.getColumn(2).getString();
  row.attempt = query.getColumn(3).getInt();
  if (!query.isColumnNull(4)) row.worker = query.getColumn(4).getInt64();
  row.crash_count = query.getColumn(5).getInt();
  row.cached = query.getColumn(6).getInt() != 0;
  row.phase = query.getColumn(7).getString();
  row.fraction = query.getColumn(8).getDouble();
  row.layers_done = query.getColumn(9).getInt();
  row.layer_count = query.getColumn(10).getInt();
  if (!query.isColumnNull(11)) {
    row.failure = JobFailure{.code = query.getColumn(11).getInt(),
                             .message = query.getColumn(12).getString()};
  }
  row.create_time = absl::FromUnixMicros(query.getColumn(13).getInt64());
  row.start_time = ReadTime(query.getColumn(14));
  row.end_time = ReadTime(query.getColumn(15));
  if (!query.isColumnNull(16)) {
    row.needs.seconds = query.getColumn(16).getDouble();
  }
  row.kind = KindOf(query.getColumn(17).getString());
  row.access.owner = query.getColumn(18).getString();
  row.access.is_private = query.getColumn(19).getInt() != 0;
  row.priority = static_cast<JobPriority>(query.getColumn(20).getInt());
  row.is_kept = query.getColumn(21).getInt() != 0;
  if (const auto time = ReadTime(query.getColumn(22))) {
    row.dropped = DroppedResults{.time = *time,
                                 .reason = query.getColumn(23).getString()};
  }
  if (!query.isColumnNull(24)) {
    row.needs.memory_bytes = query.getColumn(24).getInt64();
  }
  return row;
}

// Returns the layers that have groups which they lacked.
std::set<PartLayer> Attach(Connection& database, int64_t id,
                           const std::vector<NeededGroup>& groups) {
  std::set<PartLayer> attached;
  for (const NeededGroup& group : groups) {
    if (group.key.empty()) continue;
    const int changed = Execute(database, kAttach, id, group.part, group.layer,
                                group.probe, group.key);
    if (changed > 0) attached.emplace(group.part, group.layer);
  }
  return attached;
}

// Adds the warnings that came with the groups of a layer, each with the prefix
// of the part it concerns.
void AddWarningsOfLayer(Connection& database, int64_t id,
                        const PartLayer& layer, absl::Time now) {
  Statement query =
      Query(database, kWarningsOfLayer, id, layer.first, layer.second);
  std::vector<std::string> warnings;
  while (query.executeStep()) {
    const std::string prefix = query.getColumn(0).getString();
    const std::string text = query.getColumn(1).getString();
    warnings.push_back(prefix.empty() ? text
                                      : absl::StrCat(prefix, ": ", text));
  }
  AddWarnings(database, id, warnings, now);
}

void TellIfComplete(Connection& database, int64_t id, const PartLayer& layer,
                    absl::Time now) {
  if (layer.second < 0) return;  // of the whole model
  const auto name =
      QueryText(database, kNameIfComplete, id, layer.first, layer.second);
  if (name)
    Execute(database, kAddEvent, id, absl::ToUnixMicros(now), "layer", *name);
}

}  // namespace

bool IsFinal(JobState state) {
  return state == JobState::kSucceeded || state == JobState::kFailed ||
         state == JobState::kCancelled;
}

const char* NameOf(JobState state) {
  return kStateNames[static_cast<size_t>(state)];
}

const char* NameOf(JobKind kind) {
  return kind == JobKind::kTrain ? kTrainName : kAnalyzeName;
}

JobKind KindOf(const std::string& name) {
  return name == kTrainName ? JobKind::kTrain : JobKind::kAnalyze;
}

JobState StateOf(const std::string& name) {
  size_t index = 0;
  while (kStateNames[index] != name) ++index;
  return static_cast<JobState>(index);
}

absl::Status NoSuchJob(int64_t id) {
  return absl::NotFoundError(absl::StrCat("there is no job ", id));
}

absl::StatusOr<JobRow> SelectJob(Connection& database, int64_t id) {
  Statement query = Query(database, kSelectJob, id);
  if (!query.executeStep()) return NoSuchJob(id);
  JobRow row = ReadJob(query, id);
  row.warnings = SelectWarnings(database, id);
  if (row.access.is_private) {
    row.access.readers = SelectTexts(
        Query(database, "SELECT name FROM job_reader WHERE job = ?1", id));
  }
  return row;
}

StateChange Cancellation(const std::string& message) {
  return {.state = JobState::kCancelled,
          .failure =
              JobFailure{.code = static_cast<int>(absl::StatusCode::kCancelled),
                         .message = message}};
}

void ChangeState(Connection& database, int64_t id, const StateChange& change,
                 absl::Time now) {
  const int64_t time = absl::ToUnixMicros(now);
  const bool held = change.state == JobState::kRunning ||
                    change.state == JobState::kCancelling;
  Statement update = Query(
      database,
      "UPDATE job SET state = ?2, change_time = ?3, end_time = ?4, "
      "worker = iif(?5, worker, NULL), error_code = ?6, error_message = ?7 "
      "WHERE id = ?1",
      id, NameOf(change.state), time,
      IsFinal(change.state) ? std::optional(time) : std::nullopt,
      static_cast<int>(held));
  if (change.failure) {
    update.Bind(6, change.failure->code);
    update.Bind(7, change.failure->message);
  }
  update.exec();
}

void AddWarnings(Connection& database, int64_t id,
                 const std::vector<std::string>& warnings, absl::Time now) {
  for (const std::string& warning : warnings) {
    const bool known =
        QueryInteger(database,
                     "SELECT 1 FROM event WHERE job = ?1 AND kind = 'warning' "
                     "AND text = ?2",
                     id, warning)
            .has_value();
    if (!known)
      Execute(database, kAddEvent, id, absl::ToUnixMicros(now), "warning",
              warning);
  }
}

bool NoteProvenance(Connection& database, int64_t id,
                    const std::map<int, std::string>& provenance) {
  int changed = 0;
  for (const auto& [part, bytes] : provenance) {
    changed += Execute(database,
                       "UPDATE job_part SET provenance = ?3 WHERE job = ?1 "
                       "AND part = ?2 AND provenance IS NOT ?3",
                       id, part, Blob{bytes});
  }
  return changed > 0;
}

bool AttachCachedGroups(Connection& database, int64_t id,
                        const std::vector<NeededGroup>& groups,
                        absl::Time now) {
  const std::set<PartLayer> attached = Attach(database, id, groups);
  for (const PartLayer& layer : attached)
    TellIfComplete(database, id, layer, now);
  for (const PartLayer& layer : attached) {
    AddWarningsOfLayer(database, id, layer, now);
  }
  return !attached.empty();
}

bool HasAllGroups(Connection& database, int64_t id) {
  return !QueryInteger(
              database,
              "SELECT 1 FROM job_group WHERE job = ?1 AND entry IS NULL LIMIT "
              "1",
              id)
              .has_value();
}

void Succeed(Connection& database, int64_t id, absl::Time now) {
  Execute(database, "UPDATE job SET fraction = 1, phase = '' WHERE id = ?1",
          id);
  ChangeState(database, id, {.state = JobState::kSucceeded}, now);
  Execute(database,
          "UPDATE job SET cached = 1, estimated_seconds = NULL, "
          "memory_bytes = NULL WHERE id = ?1 AND attempt = 0",
          id);
}

}  // namespace moeprobe
