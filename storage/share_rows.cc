#include "storage/share_rows.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <map>
#include <numbers>
#include <string>

#include "absl/time/time.h"
#include "storage/connection.h"
#include "storage/statement.h"

namespace moeprobe {
namespace {

// Less than this is nothing.
constexpr double kLeastSeconds = 1e-3;

constexpr const char* kCharge = R"sql(
INSERT INTO share(owner, seconds) SELECT owner, ?2 FROM job WHERE id = ?1
ON CONFLICT(owner) DO UPDATE SET seconds = seconds + excluded.seconds)sql";

// Which part of what was charged is left after so long: all where the machine's
// time was set back.
double PartLeft(absl::Duration age) {
  const double half_lives =
      absl::FDivDuration(std::max(age, absl::ZeroDuration()), kUsageHalfLife);
  return std::exp2(-half_lives);
}

// Brings the seconds of all users to `now`, also where they were of a time that
// is still to come: else nothing would be forgotten until then.
void Decay(Connection& database, absl::Time now) {
  const double left = StoredUsageLeft(database, now);
  Execute(database,
          "UPDATE share SET seconds = iif(seconds * ?1 < ?2, 0, seconds * ?1) "
          "WHERE seconds > 0",
          left, kLeastSeconds);
  Execute(database, "UPDATE share_time SET time = ?1", absl::ToUnixMicros(now));
}

}  // namespace

double SecondsLeft(absl::Duration attempt) {
  const double half_lives = absl::FDivDuration(
      std::max(attempt, absl::ZeroDuration()), kUsageHalfLife);
  return -std::expm1(-half_lives * std::numbers::ln2) *
         absl::ToDoubleSeconds(kUsageHalfLife) / std::numbers::ln2;
}

double StoredUsageLeft(Connection& database, absl::Time now) {
  const absl::Time stored = absl::FromUnixMicros(
      QueryInteger(database, "SELECT time FROM share_time").value_or(0));
  return PartLeft(now - stored);
}

std::map<std::string, Share> SelectShares(Connection& database,
                                          absl::Time now) {
  const double left = StoredUsageLeft(database, now);
  Statement query = Query(database, "SELECT owner, weight, seconds FROM share");
  std::map<std::string, Share> shares;
  while (query.executeStep()) {
    shares[query.getColumn(0).getString()] = {
        .weight = query.getColumn(1).getDouble(),
        .seconds = left * query.getColumn(2).getDouble()};
  }
  return shares;
}

void ChargeAttempt(Connection& database, int64_t job, absl::Time end,
                   absl::Time now) {
  const auto start =
      QueryInteger(database, "SELECT attempt_time FROM job WHERE id = ?1", job);
  if (!start) return;  // from before there were shares
  Decay(database, now);
  Execute(
      database, kCharge, job,
      SecondsLeft(end - absl::FromUnixMicros(*start)) * PartLeft(now - end));
}

}  // namespace moeprobe
