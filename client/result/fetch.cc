#include "client/result/fetch.h"

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "client/result/array_verifier.h"
#include "client/result/npz.h"
#include "client/result/result_json.h"
#include "client/result/staging_directory.h"
#include "client/result/summary_csv.h"
#include "client/service/array_stream.h"
#include "client/service/client.h"
#include "core/base/quoted.h"
#include "core/base/status_macros.h"
#include "moeprobe/v1/result.pb.h"
#include "moeprobe/v1/result_service.pb.h"

namespace moeprobe {
namespace {

constexpr const char* kArrays = "arrays.npz";
constexpr const char* kSummary = "summary.csv";
constexpr const char* kResult = "result.json";

bool IsPlainStep(absl::string_view step) {
  return !step.empty() && step != "." && step != ".." &&
         std::ranges::all_of(step, [](char c) {
           return absl::ascii_isalnum(static_cast<unsigned char>(c)) ||
                  absl::StrContains("_-.", c);
         });
}

bool IsPlainPath(const std::string& name) {
  const std::vector<absl::string_view> steps = absl::StrSplit(name, '/');
  return std::ranges::all_of(steps, IsPlainStep);
}

// Names become paths where somebody unpacks the archive.
absl::Status CheckArray(const v1::ArrayInfo& array) {
  if (IsPlainPath(array.name()) && array.size_bytes() > 0) {
    return absl::OkStatus();
  }
  return absl::DataLossError(absl::StrCat(
      "the server lists an array ", Quoted(array.name()), " of ",
      array.size_bytes(), " bytes, expected a relative path and a size"));
}

absl::StatusOr<std::vector<v1::ArrayInfo>> SortedArrays(
    const v1::Result& result) {
  std::vector<v1::ArrayInfo> arrays(result.arrays().begin(),
                                    result.arrays().end());
  for (const v1::ArrayInfo& array : arrays) {
    MOEPROBE_RETURN_IF_ERROR(CheckArray(array));
  }
  std::ranges::sort(arrays, {}, &v1::ArrayInfo::name);
  return arrays;
}

absl::Status WriteArrays(Client& client, const std::string& job_name,
                         const std::vector<v1::ArrayInfo>& arrays,
                         const std::filesystem::path& path,
                         const FetchProgress& progress) {
  ArrayStream stream = client.ReadArrays(job_name, arrays);
  ArrayVerifier verifier([&stream] { return stream.Next(); });
  int64_t total = 0;
  int64_t done = 0;
  std::vector<NpzEntry> entries;
  for (const v1::ArrayInfo& array : arrays) {
    total += array.size_bytes();
    entries.push_back({.name = array.name(),
                       .size_bytes = array.size_bytes(),
                       .next_piece = [&] {
                         auto piece = verifier.NextPiece(array);
                         if (piece.ok()) {
                           done += static_cast<int64_t>(piece->size());
                           progress(done, total);
                         }
                         return piece;
                       }});
  }
  return WriteNpz(path, std::move(entries));
}

}  // namespace

absl::StatusOr<v1::Result> FetchResult(Client& client,
                                       const std::string& job_name,
                                       const std::filesystem::path& directory,
                                       const FetchProgress& progress) {
  MOEPROBE_ASSIGN_OR_RETURN(v1::Result result, client.GetResult(job_name));
  if (result.arrays().empty()) {
    return absl::FailedPreconditionError(absl::StrCat(
        job_name, " has no results: it is ", StateName(result.job().state())));
  }
  MOEPROBE_ASSIGN_OR_RETURN(const std::vector<v1::ArrayInfo> arrays,
                            SortedArrays(result));
  MOEPROBE_ASSIGN_OR_RETURN(StagingDirectory staging,
                            StagingDirectory::Create(directory));
  MOEPROBE_RETURN_IF_ERROR(
      WriteArrays(client, job_name, arrays, staging.PathOf(kArrays), progress));
  MOEPROBE_RETURN_IF_ERROR(staging.Write(kSummary, SummaryCsv(result)));
  MOEPROBE_RETURN_IF_ERROR(
      staging.Write(kResult, JsonText(ResultJson(result))));
  MOEPROBE_RETURN_IF_ERROR(staging.Publish({kArrays, kSummary, kResult}));
  return result;
}

}  // namespace moeprobe
