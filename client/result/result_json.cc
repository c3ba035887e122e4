#include "client/result/result_json.h"

#include <google/protobuf/timestamp.pb.h>

#include <cstddef>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "client/request/request_writer.h"
#include "client/result/cell_index.h"
#include "client/result/row_nulls.h"
#include "client/result/summary_place.h"
#include "moeprobe/v1/job.pb.h"
#include "moeprobe/v1/result.pb.h"
#include "moeprobe/v1/result_service.pb.h"
#include "spec/choice_name.h"
#include "spec/timestamp.h"

namespace moeprobe {
namespace {

using Json = nlohmann::ordered_json;

Json TimesJson(const v1::Job& job) {
  Json times = Json::object();
  if (job.has_create_time()) times["create"] = JsonTime(job.create_time());
  if (job.has_start_time()) times["start"] = JsonTime(job.start_time());
  if (job.has_end_time()) times["end"] = JsonTime(job.end_time());
  if (job.has_estimated_seconds()) {
    times["estimated_seconds"] = job.estimated_seconds();
  }
  return times;
}

Json ProgressJson(const v1::Progress& progress) {
  return {{"phase", progress.phase()},
          {"fraction", progress.fraction()},
          {"layers_done_count", progress.layers_done_count()},
          {"layer_count", progress.layer_count()}};
}

Json MemoryWaitJson(const v1::MemoryWait& wait) {
  Json json = {{"needed_bytes", wait.needed_bytes()},
               {"budget_bytes", wait.budget_bytes()},
               {"held_bytes", wait.held_bytes()},
               {"holders", Json::array()},
               {"kept_bytes", wait.kept_bytes()},
               {"kept_for", wait.kept_for()}};
  for (const std::string& job : wait.holders()) json["holders"].push_back(job);
  return json;
}

Json StatusJson(const v1::Job& job) {
  Json status = {{"name", job.name()},
                 {"owner", job.owner()},
                 {"state", StateName(job.state())}};
  if (job.has_error()) {
    status["error"] = {{"code", job.error().code()},
                       {"message", job.error().message()}};
  }
  if (job.has_progress()) status["progress"] = ProgressJson(job.progress());
  status["crash_count"] = job.crash_count();
  status["cached"] = job.cached();
  if (job.kept()) status["kept"] = true;
  if (job.has_dropped()) {
    status["dropped"] = {{"time", JsonTime(job.dropped().time())},
                         {"reason", job.dropped().reason()}};
  }
  if (job.state() == v1::Job::STATE_QUEUED) {
    status["queue_position"] = job.queue_position();
    if (job.has_estimated_start_time()) {
      status["estimated_start"] = JsonTime(job.estimated_start_time());
    }
  }
  if (job.has_estimated_memory_bytes()) {
    status["estimated_memory_bytes"] = job.estimated_memory_bytes();
  }
  if (job.has_memory_wait()) {
    status["memory_wait"] = MemoryWaitJson(job.memory_wait());
  }
  return status;
}

// What is known of how far a row's mean can be trusted.
void AddSignificance(const v1::SummaryRow& row, Json& json) {
  if (row.has_standard_error()) json["se"] = row.standard_error();
  if (row.has_interval_low() && row.has_interval_high()) {
    json["interval"] = {row.interval_low(), row.interval_high()};
  }
  for (size_t i = 0; i < NullNames().size(); ++i) {
    const std::optional<RowNull> null = NullOf(row, i);
    if (!null) continue;
    json[NullNames()[i].key] = {
        {"mean", null->mean}, {"std", null->deviation}, {"p", null->p}};
  }
}

Json SummaryJson(const v1::Result& result) {
  Json layers = Json::array();
  for (const v1::SummaryRow& row : result.summary()) {
    const std::string part = PartName(PrefixOf(row));
    const bool same = !layers.empty() && layers.back()["part"] == part &&
                      layers.back()["layer"] == row.layer();
    if (!same) {
      layers.push_back({{"part", part},
                        {"layer", row.layer()},
                        {"quantities", Json::object()}});
    }
    Json& quantity = layers.back()["quantities"][row.quantity()];
    quantity = {{"mean", row.mean()},
                {"std", row.standard_deviation()},
                {"count", row.count()}};
    AddSignificance(row, quantity);
  }
  return layers;
}

Json CellsJson(const v1::Result& result) {
  Json cells = Json::array();
  for (const v1::SweepCell& cell : result.cells()) {
    Json settings = Json::object();
    for (const v1::SweepSetting& setting : cell.settings()) {
      settings[setting.field()] = IsName(setting)
                                      ? Json(setting.value())
                                      : SettingJson(setting.value());
    }
    cells.push_back({{"prefix", cell.prefix()}, {"settings", settings}});
  }
  return cells;
}

Json ProvenanceJson(const v1::Provenance& provenance) {
  Json json = {{"part", PartName(provenance.prefix())},
               {"model", provenance.model()},
               {"model_fingerprint", provenance.model_fingerprint()},
               {"data_fingerprint", provenance.data_fingerprint()},
               {"token_count", provenance.token_count()},
               {"layer_count", provenance.layer_count()}};
  Json& ids = json["first_token_ids"] = Json::array();
  for (const auto id : provenance.first_token_ids()) ids.push_back(id);
  if (provenance.has_nll()) json["nll"] = provenance.nll();
  // The map of the message has no order of its own.
  const std::map<std::string, std::string> environment(
      provenance.environment().begin(), provenance.environment().end());
  json["environment"] = environment;
  return json;
}

}  // namespace

std::string StateName(v1::Job::State state) {
  const auto* value = v1::Job::State_descriptor()->FindValueByNumber(state);
  return value == nullptr ? absl::StrCat("state ", state) : ChoiceName(*value);
}

std::string JsonTime(const google::protobuf::Timestamp& time) {
  return absl::FormatTime("%Y-%m-%dT%H:%M:%E3SZ", ToTime(time),
                          absl::UTCTimeZone());
}

Json JobJson(const v1::Job& job) {
  Json json = {{"job", StatusJson(job)}, {"request", RequestJson(job)}};
  Json& warnings = json["warnings"] = Json::array();
  for (const std::string& warning : job.warnings()) warnings.push_back(warning);
  json["times"] = TimesJson(job);
  return json;
}

Json ResultJson(const v1::Result& result) {
  Json json = JobJson(result.job());
  json["complete"] = result.job().state() == v1::Job::STATE_SUCCEEDED;
  if (!result.cells().empty()) json["cells"] = CellsJson(result);
  json["summary"] = SummaryJson(result);
  Json& parts = json["provenance"] = Json::array();
  for (const v1::Provenance& provenance : result.provenance()) {
    parts.push_back(ProvenanceJson(provenance));
  }
  return json;
}

std::string JsonText(const Json& json) {
  return json.dump(2, ' ', true, Json::error_handler_t::replace) + "\n";
}

}  // namespace moeprobe
