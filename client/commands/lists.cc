#include "client/commands/lists.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/repeated_ptr_field.h>

#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "client/commands/job_text.h"
#include "client/commands/model_text.h"
#include "client/commands/session.h"
#include "client/request/job_spec.h"
#include "client/result/result_json.h"
#include "client/text/format.h"
#include "client/text/table.h"
#include "core/base/printable.h"
#include "core/base/status_macros.h"
#include "moeprobe/v1/access.pb.h"
#include "moeprobe/v1/dataset_service.pb.h"
#include "moeprobe/v1/job.pb.h"
#include "moeprobe/v1/server_service.pb.h"
#include "moeprobe/v1/user_service.pb.h"
#include "spec/choice_name.h"

namespace moeprobe {
namespace {

using Json = nlohmann::ordered_json;

// Lists are long lines for grep, never wrapped tables.
constexpr int kAnyWidth = std::numeric_limits<int>::max();

std::string KindName(const v1::Dataset& dataset) {
  const auto* kind =
      v1::Dataset::Kind_descriptor()->FindValueByNumber(dataset.kind());
  return kind == nullptr ? "" : ChoiceName(*kind);
}

std::string ExpertsText(const v1::Model& model) {
  if (model.expert_count() == 0) return "dense";
  return absl::StrCat(model.expert_count(), ", top ",
                      model.experts_per_token());
}

// What an enumeration calls a value; "" for one it does not know.
std::string ValueName(const google::protobuf::EnumDescriptor& type,
                      int number) {
  const auto* value = type.FindValueByNumber(number);
  return value == nullptr ? "" : ChoiceName(*value);
}

std::string VisibilityName(v1::Visibility visibility) {
  return ValueName(*v1::Visibility_descriptor(), visibility);
}

Json NamesJson(const google::protobuf::RepeatedPtrField<std::string>& names) {
  Json json = Json::array();
  for (const std::string& name : names) json.push_back(name);
  return json;
}

const char* ProofText(v1::Caller::Proof proof) {
  switch (proof) {
    case v1::Caller::PROOF_TOKEN:
      return "a token";
    case v1::Caller::PROOF_CERTIFICATE:
      return "a certificate";
    case v1::Caller::PROOF_PEER:
      return "the account of this process";
    default:
      return "nothing: whoever reaches the port is this user";
  }
}

Json ModelJson(const v1::Model& model) {
  return {{"name", model.name()},
          {"family", model.family()},
          {"layer_count", model.layer_count()},
          {"expert_count", model.expert_count()},
          {"experts_per_token", model.experts_per_token()},
          {"width", model.width()},
          {"size_bytes", model.size_bytes()},
          {"problem", model.problem()},
          {"memory", MemoryJson(model)}};
}

Json DatasetJson(const v1::Dataset& dataset) {
  return {{"name", dataset.name()},
          {"display_name", dataset.display_name()},
          {"kind", KindName(dataset)},
          {"sha256", dataset.sha256()},
          {"size_bytes", dataset.size_bytes()},
          {"owner", dataset.owner()},
          {"visibility", VisibilityName(dataset.visibility())},
          {"shared_with", NamesJson(dataset.shared_with())}};
}

Json IsolationJson(const v1::Isolation& isolation) {
  return {{"landlock_version", isolation.landlock_version()},
          {"are_sockets_forbidden", isolation.are_sockets_forbidden()},
          {"max_memory_bytes", isolation.max_memory_bytes()},
          {"max_file_bytes", isolation.max_file_bytes()},
          {"max_open_file_count", isolation.max_open_file_count()},
          {"max_process_count", isolation.max_process_count()},
          {"gaps", NamesJson(isolation.gaps())}};
}

std::string MemoryText(int64_t bytes) {
  return bytes == 0 ? "any memory" : FormatBytes(bytes) + " of memory";
}

// What keeps workers in, and what does not.
std::string IsolationText(const v1::ServerInfo& info) {
  if (!info.has_isolation()) {
    return "isolation: that of who starts the workers, by hand\n";
  }
  const v1::Isolation& isolation = info.isolation();
  std::string text = absl::StrFormat(
      "workers are kept to their files by %s, and from sockets by %s\n"
      "each may take: %s, files of %s, %d open, while there are fewer than %d "
      "processes\n",
      isolation.landlock_version() == 0
          ? "nothing"
          : absl::StrCat("Landlock ", isolation.landlock_version()),
      isolation.are_sockets_forbidden() ? "seccomp" : "nothing",
      MemoryText(isolation.max_memory_bytes()),
      FormatBytes(isolation.max_file_bytes()), isolation.max_open_file_count(),
      isolation.max_process_count());
  for (const std::string& gap : isolation.gaps()) {
    absl::StrAppend(&text, "not kept in: ", PrintableLine(gap), "\n");
  }
  return text;
}

Json ServerJson(const v1::ServerInfo& info) {
  Json json = {
      {"version", info.version()},
      {"numerics_version", info.numerics_version()},
      {"families", Json::array()},
      {"worker_count", info.worker_count()},
      {"idle_worker_count", info.idle_worker_count()},
      {"threads_per_worker", info.threads_per_worker()},
      {"max_dataset_bytes", info.max_dataset_bytes()},
      {"max_crash_count", info.max_crash_count()},
      {"default_visibility", VisibilityName(info.default_visibility())},
      {"audit_failure_count", info.audit_failure_count()},
      {"memory_budget_bytes", info.memory_budget_bytes()},
      {"memory_budget_origin", info.memory_budget_origin()},
      {"memory_held_bytes", info.memory_held_bytes()},
      {"pinned_bytes", info.pinned_bytes()},
      {"isolation",
       info.has_isolation() ? IsolationJson(info.isolation()) : Json(nullptr)}};
  for (const std::string& family : info.families()) {
    json["families"].push_back(family);
  }
  return json;
}

std::string BudgetText(const v1::ServerInfo& info) {
  std::string held =
      absl::StrCat(FormatBytes(info.memory_held_bytes()), " held");
  if (info.pinned_bytes() > 0) {
    absl::StrAppend(&held, ", ", FormatBytes(info.pinned_bytes()), " pinned");
  }
  if (info.memory_budget_bytes() == 0) return held + ", of any amount";
  return absl::StrCat(held, " of ", FormatBytes(info.memory_budget_bytes()),
                      ", ", PrintableLine(info.memory_budget_origin()));
}

// How a list looks as a table.
template <typename Item>
struct Listing {
  std::vector<Column> columns;
  std::vector<std::string> (*row)(const Item&);
  Json (*json)(const Item&);
  const char* empty;  // said instead of a table without rows
};

template <typename Item>
absl::Status ShowList(Session& session, const std::vector<Item>& items,
                      const Listing<Item>& listing, bool json) {
  if (json) {
    Json list = Json::array();
    for (const Item& item : items) list.push_back(listing.json(item));
    session.out.Print(JsonText(list));
    return absl::OkStatus();
  }
  if (items.empty()) {
    session.err.Print(absl::StrCat(listing.empty, "\n"));
    return absl::OkStatus();
  }
  std::vector<std::vector<std::string>> rows;
  for (const Item& item : items) {
    rows.push_back(listing.row(item));
    for (std::string& cell : rows.back()) cell = PrintableLine(cell);
  }
  session.out.Print(FormatTable(listing.columns, rows, kAnyWidth));
  return absl::OkStatus();
}

std::vector<std::string> JobRow(const v1::Job& job) {
  return {JobId(job.name()), OwnerText(job),   StateText(job),   LabelOf(job),
          SubjectOf(job),    CreatedText(job), DurationText(job)};
}

std::vector<std::string> ModelRow(const v1::Model& model) {
  return {model.name(),
          model.family(),
          absl::StrCat(model.layer_count()),
          ExpertsText(model),
          absl::StrCat(model.width()),
          FormatBytes(model.size_bytes()),
          ModelMemoryText(model),
          HoldersText(model),
          model.problem()};
}

std::vector<std::string> DatasetRow(const v1::Dataset& dataset) {
  return {dataset.display_name(),
          OwnerText(dataset),
          KindName(dataset),
          FormatBytes(dataset.size_bytes()),
          TimeText(dataset.create_time()),
          dataset.name()};
}

}  // namespace

absl::Status ListJobs(Session& session, bool json) {
  MOEPROBE_ASSIGN_OR_RETURN(const std::vector<v1::Job> jobs,
                            session.client.ListJobs());
  return ShowList<v1::Job>(
      session, jobs,
      {.columns = {RightColumn("JOB"), LeftColumn("OWNER"), LeftColumn("STATE"),
                   LeftColumn("NAME"), LeftColumn("MODEL"),
                   LeftColumn("CREATED"), RightColumn("TOOK")},
       .row = JobRow,
       .json = JobJson,
       .empty = "no jobs yet; submit creates one"},
      json);
}

absl::Status ListModels(Session& session, bool json) {
  MOEPROBE_ASSIGN_OR_RETURN(const std::vector<v1::Model> models,
                            session.client.ListModels());
  return ShowList<v1::Model>(
      session, models,
      {.columns = {LeftColumn("MODEL"), LeftColumn("FAMILY"),
                   RightColumn("LAYERS"), LeftColumn("EXPERTS"),
                   RightColumn("WIDTH"), RightColumn("SIZE"),
                   LeftColumn("IN MEMORY"), LeftColumn("USED BY"),
                   LeftColumn("PROBLEM")},
       .row = ModelRow,
       .json = ModelJson,
       .empty = "no models under the server's model roots"},
      json);
}

absl::Status ListDatasets(Session& session, bool json) {
  MOEPROBE_ASSIGN_OR_RETURN(const std::vector<v1::Dataset> datasets,
                            session.client.ListDatasets());
  return ShowList<v1::Dataset>(
      session, datasets,
      {.columns = {LeftColumn("FILE"), LeftColumn("OWNER"), LeftColumn("KIND"),
                   RightColumn("SIZE"), LeftColumn("UPLOADED"),
                   LeftColumn("NAME")},
       .row = DatasetRow,
       .json = DatasetJson,
       .empty = "no data sets yet; submit uploads the files "
                "that requests name"},
      json);
}

absl::Status ShowServer(Session& session, bool json) {
  MOEPROBE_ASSIGN_OR_RETURN(const v1::ServerInfo info,
                            session.client.GetServerInfo());
  const Json fields = ServerJson(info);
  if (json) {
    session.out.Print(JsonText(fields));
    return absl::OkStatus();
  }
  session.out.Print(absl::StrFormat(
      "moeprobe-server %s at %s\n"
      "workers: %d, %d idle, %d threads each\n"
      "families: %s\n"
      "memory of jobs: %s\n"
      "largest data set: %s\n"
      "who sees what is submitted: %s\n"
      "version of the numbers: %d\n",
      PrintableLine(info.version()), session.client.address(),
      info.worker_count(), info.idle_worker_count(), info.threads_per_worker(),
      PrintableLine(absl::StrJoin(info.families(), ", ")), BudgetText(info),
      FormatBytes(info.max_dataset_bytes()),
      info.default_visibility() == v1::VISIBILITY_PRIVATE ? "its owner"
                                                          : "every user",
      info.numerics_version()));
  session.out.Print(IsolationText(info));
  if (info.audit_failure_count() > 0) {
    session.out.Print(absl::StrCat("audit log: ", info.audit_failure_count(),
                                   " lines could not be written\n"));
  }
  return absl::OkStatus();
}

absl::Status ShowCaller(Session& session, bool json) {
  MOEPROBE_ASSIGN_OR_RETURN(const v1::Caller caller,
                            session.client.GetCaller());
  const std::string role = ValueName(*v1::Role_descriptor(), caller.role());
  const std::string proof =
      ValueName(*v1::Caller::Proof_descriptor(), caller.proof());
  if (json) {
    session.out.Print(
        JsonText({{"user", caller.user()}, {"role", role}, {"proof", proof}}));
    return absl::OkStatus();
  }
  session.out.Print(absl::StrCat(PrintableLine(caller.user()), ", ", role,
                                 ", known by ", ProofText(caller.proof()),
                                 "\n"));
  return absl::OkStatus();
}

}  // namespace moeprobe
