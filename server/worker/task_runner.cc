#include "server/worker/task_runner.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <ios>
#include <sstream>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "core/base/npy.h"
#include "core/base/sha256.h"
#include "core/base/status_macros.h"
#include "core/base/token_windows.h"
#include "core/base/version.h"
#include "core/pipeline/analyze.h"
#include "moeprobe/v1/job.pb.h"
#include "moeprobe/v1/result.pb.h"
#include "moeprobe/v1/worker_service.pb.h"
#include "server/worker/heartbeat.h"
#include "server/worker/part_observer.h"
#include "server/worker/server_link.h"
#include "server/worker/task_part.h"
#include "server/worker/tokenizer.h"

namespace moeprobe {
namespace {

constexpr size_t kFirstTokens = 16;

absl::StatusOr<std::string> ReadFile(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream content;
  content << file.rdbuf();
  if (!file) {
    return absl::NotFoundError(
        absl::StrCat("cannot read data set ", path.string()));
  }
  return content.str();
}

// A job may have several models: an error says which one it is about.
absl::Status InModel(const std::string& model, const absl::Status& error) {
  return {error.code(), absl::StrCat("model ", model, ": ", error.message())};
}

v1::Provenance ProvenanceOf(const v1::TaskPart& part,
                            const std::vector<int32_t>& ids,
                            const std::string& data_fingerprint,
                            const AnalysisReport& report) {
  v1::Provenance provenance;
  provenance.set_prefix(part.prefix());
  provenance.set_model(part.model());
  provenance.set_model_fingerprint(report.model_fingerprint);
  provenance.set_data_fingerprint(data_fingerprint);
  provenance.set_token_count(static_cast<int64_t>(ids.size()));
  const size_t shown = std::min(kFirstTokens, ids.size());
  provenance.mutable_first_token_ids()->Add(
      ids.begin(), ids.begin() + static_cast<std::ptrdiff_t>(shown));
  if (report.nll) provenance.set_nll(*report.nll);
  auto& environment = *provenance.mutable_environment();
  environment["device"] = report.device;
  if (const absl::Status& kept = report.keeping_hidden_states; !kept.ok()) {
    environment["hidden_states"] = absl::StrCat("not kept: ", kept.message());
  }
  environment["layers_run"] =
      absl::StrCat(report.layers_run, " of ", report.layer_count);
  environment["libtorch"] = report.libtorch_version;
  environment["moeprobe"] = Version();
  environment["precision"] =
      part.precision() == v1::PRECISION_BFLOAT16 ? "bfloat16" : "float32";
  environment["threads"] = absl::StrCat(report.threads);
  return provenance;
}

}  // namespace

TaskRunner::TaskRunner(const ServerLink& link,
                       const TokenizerOptions& tokenizer, Analyzer& analyzer,
                       const v1::Task& task)
    : link_(link),
      tokenizer_(tokenizer),
      analyzer_(analyzer),
      task_(task),
      heartbeat_(link, task) {}

absl::Status TaskRunner::Run() {
  v1::FinishTaskRequest finish;
  finish.set_job(task_.job());
  finish.set_attempt(task_.attempt());
  const auto provenance = RunParts();
  if (provenance.ok()) {
    finish.mutable_provenance()->Add(provenance->begin(), provenance->end());
  } else {
    finish.mutable_error()->set_code(provenance.status().raw_code());
    finish.mutable_error()->set_message(
        std::string(provenance.status().message()));
  }
  return link_.FinishTask(finish);
}

absl::StatusOr<std::vector<v1::Provenance>> TaskRunner::RunParts() {
  std::vector<v1::Provenance> provenance;
  for (int part = 0; part < task_.parts_size(); ++part) {
    absl::StatusOr<v1::Provenance> of_part = RunPart(part);
    if (!of_part.ok()) {
      return InModel(task_.parts(part).model(), of_part.status());
    }
    provenance.push_back(*std::move(of_part));
  }
  return provenance;
}

absl::StatusOr<v1::Provenance> TaskRunner::RunPart(int index) {
  const v1::TaskPart& part = task_.parts(index);
  const WindowOptions windows = WindowsOf(part.data());
  AnalysisRequest request = RequestOf(part);
  MOEPROBE_ASSIGN_OR_RETURN(std::vector<int32_t> ids, TokenIds(index));
  MOEPROBE_ASSIGN_OR_RETURN(request.token_ids,
                            CutWindows(std::move(ids), windows));
  request.hidden_states = {.directory = task_.hidden_state_directory(),
                           .limit_bytes = task_.hidden_state_bytes()};

  const std::string fingerprint = DataFingerprint(request.token_ids, windows);
  PartObserver observer(link_, heartbeat_, task_, index, fingerprint);
  MOEPROBE_ASSIGN_OR_RETURN(const AnalysisReport report,
                            analyzer_.Analyze(request, observer));
  return ProvenanceOf(part, request.token_ids, fingerprint, report);
}

absl::StatusOr<std::vector<int32_t>> TaskRunner::TokenIds(int index) {
  const v1::TaskPart& part = task_.parts(index);
  if (part.tokenize()) return Tokenize(index);
  MOEPROBE_ASSIGN_OR_RETURN(const std::string npy, ReadFile(part.data_path()));
  return DecodeTokenIds(npy);
}

absl::StatusOr<std::vector<int32_t>> TaskRunner::Tokenize(int index) {
  const v1::TaskPart& part = task_.parts(index);
  const std::filesystem::path tokenizer =
      std::filesystem::path(part.model_directory()) / "tokenizer.json";
  if (!std::filesystem::exists(tokenizer)) {
    return absl::FailedPreconditionError(
        absl::StrCat("model ", part.model(),
                     " has no tokenizer.json: text cannot be tokenised, give "
                     "token ids (data.ids) instead"));
  }
  MOEPROBE_ASSIGN_OR_RETURN(const std::string sha256, Sha256OfFile(tokenizer));
  const auto [place, is_new] =
      tokenized_.insert({{part.text_sha256(), sha256}, {}});
  if (!is_new) return place->second;
  MOEPROBE_ASSIGN_OR_RETURN(place->second,
                            TokenizeAnew(index, tokenizer, sha256));
  return place->second;
}

absl::StatusOr<std::vector<int32_t>> TaskRunner::TokenizeAnew(
    int index, const std::filesystem::path& tokenizer,
    const std::string& tokenizer_sha256) {
  const v1::TaskPart& part = task_.parts(index);
  v1::Progress progress;
  progress.set_phase(absl::StrCat(part.model(), ", tokenising"));
  progress.set_fraction(static_cast<double>(index) / task_.parts_size());
  heartbeat_.Set(progress);

  const std::filesystem::path output =
      std::filesystem::path(task_.scratch_directory()) /
      absl::StrCat("token_ids_", index, ".npy");
  std::error_code error;
  std::filesystem::create_directories(output.parent_path(), error);
  MOEPROBE_ASSIGN_OR_RETURN(
      std::vector<int32_t> ids,
      TokenizeFile(tokenizer_, tokenizer, part.data_path(), output,
                   [this] { return !heartbeat_.status().ok(); }));
  v1::StoreTokensRequest store;
  store.set_job(task_.job());
  store.set_attempt(task_.attempt());
  store.set_text_sha256(part.text_sha256());
  store.set_tokenizer_sha256(tokenizer_sha256);
  store.set_ids_path(output.string());
  MOEPROBE_RETURN_IF_ERROR(link_.StoreTokens(store));
  return ids;
}

}  // namespace moeprobe
