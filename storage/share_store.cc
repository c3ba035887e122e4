#include "storage/share_store.h"

#include <map>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "storage/connection.h"
#include "storage/database.h"
#include "storage/share_rows.h"
#include "storage/statement.h"

namespace moeprobe {

absl::Status ShareStore::SetWeight(const std::string& owner, double weight) {
  return database_->Write([&](Connection& db) -> absl::Status {
    Execute(db,
            "INSERT INTO share(owner, weight) VALUES(?1, ?2) ON CONFLICT(owner)"
            " DO UPDATE SET weight = excluded.weight",
            owner, weight);
    return absl::OkStatus();
  });
}

absl::StatusOr<std::map<std::string, Share>> ShareStore::All() {
  using Shares = std::map<std::string, Share>;
  return database_->Read([&](Connection& db) -> absl::StatusOr<Shares> {
    return SelectShares(db, clock_());
  });
}

}  // namespace moeprobe
