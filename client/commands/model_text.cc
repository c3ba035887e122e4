#include "client/commands/model_text.h"

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "client/commands/job_text.h"
#include "client/result/result_json.h"
#include "client/text/format.h"
#include "moeprobe/v1/server_service.pb.h"
#include "spec/choice_name.h"

namespace moeprobe {
namespace {

using Json = nlohmann::ordered_json;
using Memory = v1::ModelMemory;

std::string ShareText(const Memory& memory) {
  return absl::StrCat(FormatBytes(memory.resident_bytes()), " of ",
                      FormatBytes(memory.size_bytes()));
}

std::string AmountText(const Memory& memory) {
  switch (memory.state()) {
    case Memory::STATE_NOT_LOADED:
      return "no";
    case Memory::STATE_PARTLY_LOADED:
      return ShareText(memory);
    case Memory::STATE_LOADING:
      return absl::StrCat("loading, ", ShareText(memory));
    case Memory::STATE_LOADED:
      return "loaded";
    default:
      return "unknown";
  }
}

std::string StateName(const Memory& memory) {
  const auto* value =
      Memory::State_descriptor()->FindValueByNumber(memory.state());
  return value == nullptr ? "" : ChoiceName(*value);
}

Json HolderJson(const v1::ModelHolder& holder) {
  return {{"job", holder.job()},
          {"owner", holder.owner()},
          {"worker_pid", holder.worker_pid()},
          {"since", JsonTime(holder.since_time())}};
}

}  // namespace

std::string ModelMemoryText(const v1::Model& model) {
  if (!model.has_memory()) return "";
  const Memory& memory = model.memory();
  std::string text = AmountText(memory);
  if (memory.pinned()) absl::StrAppend(&text, ", pinned by ", memory.user());
  if (!memory.problem().empty()) {
    absl::StrAppend(&text, ": ", memory.problem());
  }
  return text;
}

std::string HoldersText(const v1::Model& model) {
  std::vector<std::string> holders;
  for (const v1::ModelHolder& holder : model.memory().holders()) {
    holders.push_back(absl::StrCat(
        holder.job().empty() ? "a private job" : holder.job(), " (",
        holder.owner().empty() ? "" : absl::StrCat(holder.owner(), ", "),
        "worker ", holder.worker_pid(), ", since ",
        TimeText(holder.since_time()), ")"));
  }
  return absl::StrJoin(holders, ", ");
}

Json MemoryJson(const v1::Model& model) {
  if (!model.has_memory()) return nullptr;
  const Memory& memory = model.memory();
  Json json = {
      {"state", StateName(memory)},
      {"size_bytes", memory.size_bytes()},
      {"resident_bytes", memory.resident_bytes()},
      {"holders", Json::array()},
      {"pinned", memory.pinned()},
      {"user", memory.user()},
      {"request_time",
       memory.has_request_time() ? JsonTime(memory.request_time()) : ""},
      {"problem", memory.problem()}};
  for (const v1::ModelHolder& holder : memory.holders()) {
    json["holders"].push_back(HolderJson(holder));
  }
  return json;
}

}  // namespace moeprobe
