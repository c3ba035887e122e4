#include "storage/pin_store.h"

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "storage/connection.h"
#include "storage/database.h"
#include "storage/statement.h"

namespace moeprobe {

absl::Status PinStore::Put(const ModelPin& pin) {
  return database_->Write([&](Connection& db) -> absl::Status {
    Execute(db,
            "INSERT OR REPLACE INTO model_pin(model, owner, create_time) "
            "VALUES(?1, ?2, ?3)",
            pin.model, pin.user, absl::ToUnixMicros(pin.time));
    return absl::OkStatus();
  });
}

absl::Status PinStore::Remove(const std::string& model) {
  return database_->Write([&](Connection& db) -> absl::Status {
    Execute(db, "DELETE FROM model_pin WHERE model = ?1", model);
    return absl::OkStatus();
  });
}

absl::StatusOr<std::vector<ModelPin>> PinStore::All() {
  using Pins = std::vector<ModelPin>;
  return database_->Read([](Connection& db) -> absl::StatusOr<Pins> {
    Statement query = Query(
        db, "SELECT model, owner, create_time FROM model_pin ORDER BY model");
    Pins pins;
    while (query.executeStep()) {
      pins.push_back(
          {.model = query.getColumn(0).getString(),
           .user = query.getColumn(1).getString(),
           .time = absl::FromUnixMicros(query.getColumn(2).getInt64())});
    }
    return pins;
  });
}

}  // namespace moeprobe
