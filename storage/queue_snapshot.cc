#include "storage/queue_snapshot.h"

#include <SQLiteCpp/Column.h>

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <utility>

#include "absl/time/time.h"
#include "storage/connection.h"
#include "storage/job_queue.h"
#include "storage/queue_forecast.h"
#include "storage/share_rows.h"
#include "storage/statement.h"

namespace moeprobe {
namespace {

constexpr const char* kWaiting = R"sql(
SELECT owner, priority, id, create_time, estimated_seconds, memory_bytes
FROM job INDEXED BY job_queue WHERE state = 'QUEUED'
ORDER BY owner, priority DESC, id)sql";

constexpr const char* kHeld = R"sql(
SELECT owner, attempt_time, estimated_seconds, memory_bytes FROM job
WHERE state IN ('RUNNING', 'CANCELLING'))sql";

using Users = std::map<std::string, WaitingUser>;

std::optional<double> ReadSeconds(const SQLite::Column& column) {
  if (column.isNull()) return std::nullopt;
  return column.getDouble();
}

void AddWaiting(Connection& database, absl::Time wall, Users& users) {
  Statement query = Query(database, kWaiting);
  while (query.executeStep()) {
    const absl::Duration waited =
        wall - absl::FromUnixMicros(query.getColumn(3).getInt64());
    const int is_old =
        absl::AbsDuration(waited) >= JobQueue::kLowPatience ? 1 : 0;
    users[query.getColumn(0).getString()].jobs.push_back(
        {.id = query.getColumn(2).getInt64(),
         .rank = std::max(query.getColumn(1).getInt(), is_old),
         .seconds = ReadSeconds(query.getColumn(4)),
         .bytes = query.getColumn(5).getInt64()});
  }
  for (auto& [name, user] : users) {
    std::ranges::sort(user.jobs, {}, [](const WaitingJob& job) {
      return std::tuple(-job.rank, job.id);
    });
  }
}

void AddShares(Connection& database, absl::Time now, Users& users) {
  for (const auto& [owner, share] : SelectShares(database, now)) {
    users[owner].weight = share.weight;
    users[owner].seconds = share.seconds;
  }
}

void AddHeld(Connection& database, absl::Time now, Users& users,
             QueueSnapshot& snapshot) {
  Statement query = Query(database, kHeld);
  while (query.executeStep()) {
    const absl::Time start =
        query.isColumnNull(1)
            ? now
            : absl::FromUnixMicros(query.getColumn(1).getInt64());
    const double so_far = absl::ToDoubleSeconds(now - start);
    const std::optional<double> expected = ReadSeconds(query.getColumn(2));
    const std::string owner = query.getColumn(0).getString();
    WaitingUser& user = users[owner];
    user.seconds += std::max(so_far, expected.value_or(0));
    ++user.held_count;
    const bool is_known = expected && *expected >= so_far;
    snapshot.held.push_back(
        {.owner = owner,
         .seconds = is_known ? std::optional(*expected - so_far) : std::nullopt,
         .bytes = query.getColumn(3).getInt64()});
  }
}

}  // namespace

QueueSnapshot TakeSnapshot(Connection& database, absl::Time now,
                           absl::Time wall) {
  QueueSnapshot snapshot{.time = wall};
  Users users;
  AddWaiting(database, wall, users);
  AddShares(database, now, users);
  AddHeld(database, now, users, snapshot);
  for (auto& [name, user] : users) {
    if (user.jobs.empty()) continue;
    user.name = name;
    snapshot.users.push_back(std::move(user));
  }
  return snapshot;
}

}  // namespace moeprobe
