#include "client/commands/show.h"

#include <algorithm>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "client/commands/job_header.h"
#include "client/commands/session.h"
#include "client/request/job_spec.h"
#include "client/result/intervention_table.h"
#include "client/result/means_table.h"
#include "client/result/ranked_pairs.h"
#include "client/result/result_json.h"
#include "client/result/significance_table.h"
#include "client/result/summary_place.h"
#include "client/result/sweep_tables.h"
#include "client/result/variant_table.h"
#include "core/base/printable.h"
#include "core/base/status_macros.h"
#include "moeprobe/v1/analysis.pb.h"
#include "moeprobe/v1/job.pb.h"
#include "moeprobe/v1/result.pb.h"
#include "moeprobe/v1/result_service.pb.h"

namespace moeprobe {
namespace {

// As wide as the papers' tables, and as pages that quote them.
constexpr int kWidestTable = 100;

// Pairs of experts that are shown of each layer.
constexpr int64_t kShownPairs = 5;

std::string Losses(const v1::Result& result) {
  std::string text;
  for (const v1::Provenance& part : result.provenance()) {
    if (!part.has_nll()) continue;
    absl::StrAppend(&text, text.empty() ? "next-token loss: " : ", ",
                    PrintableLine(PartName(part.prefix())), " ",
                    absl::StrFormat("%.4f", part.nll()));
  }
  return text.empty() ? "" : text + " nats\n";
}

// What distinguishes the cells of a sweep, and how.
void ShowCurves(Session& session, const v1::Result& result, int width) {
  const std::string tables = SweepTables(result, width);
  if (tables.empty()) return;
  session.out.Print(absl::StrCat(
      "\n", tables,
      "\nMeans over pairs of experts; ranks and singular values: over experts; "
      "router term: over tokens.\n"));
}

// The question that a null answers, and the least p there can be.
std::string NullCaption(int draws, const char* question) {
  if (draws == 0) return "";
  return absl::StrFormat("%s (%d draws, p at least %.4g)\n", question, draws,
                         1.0 / (1 + draws));
}

std::string NullCaptions(const v1::NullSpec& nulls) {
  return absl::StrCat(
      NullCaption(nulls.random_router(),
                  "Random router: same loads, tokens and experts, but random "
                  "Gaussian rows. Does this\nrouting separate more than any "
                  "linear partition would?"),
      NullCaption(nulls.permutations(),
                  "Shuffled gates: does routing depend on content at all?"),
      NullCaption(nulls.random_weights(),
                  "Random weights: models of this shape before training. Was "
                  "the number\nthere already?"));
}

// Variants side by side, at the end of training or as far as it is.
void ShowVariants(Session& session, const v1::Result& result, int width) {
  const std::string table = VariantTable(result, width);
  if (table.empty()) return;
  session.out.Print(absl::StrCat(
      "\n", table,
      "\nMeans of layers, over pairs of experts; ranks and singular values: "
      "over "
      "experts; router term:\nover tokens. \u00B1: sample standard deviation "
      "over seeds, with one seed over pairs or experts;\nof nulls over draws. "
      "All quantities: summary.csv (fetch).\n",
      NullCaptions(NullsOf(result.job()))));
}

std::string Significance(const v1::Result& result, int width) {
  const std::string table = SignificanceTable(result, width);
  if (table.empty()) return "";
  return absl::StrCat("\n", table, "\n95 % interval: whole windows resampled. ",
                      "Difference: the mean less that of the null.\n",
                      "p: share of a null's draws that reach the mean.\n",
                      NullCaptions(NullsOf(result.job())));
}

// What is known of pairs of experts, if anything.
absl::Status ShowPairs(Session& session, const v1::Result& result, int width) {
  MOEPROBE_ASSIGN_OR_RETURN(const std::vector<LayerPairs> pairs,
                            ReadRankedPairs(session.client, result));
  MOEPROBE_ASSIGN_OR_RETURN(const std::string interventions,
                            InterventionTable(session.client, result, width));
  for (const std::string& table :
       {RankedPairsText(pairs, kShownPairs, width), interventions}) {
    if (!table.empty()) session.out.Print(absl::StrCat("\n", table));
  }
  return absl::OkStatus();
}

// What is left of a job whose results are stored no longer.
void ShowJob(Session& session, const std::string& name) {
  const auto job = session.client.GetJob(name);
  if (job.ok()) session.out.Print(JobHeader(session, *job));
}

}  // namespace

absl::Status Show(Session& session, const std::string& job, bool json) {
  MOEPROBE_ASSIGN_OR_RETURN(const std::string name, JobName(job));
  const auto found = session.client.GetResult(name);
  if (absl::IsFailedPrecondition(found.status())) ShowJob(session, name);
  MOEPROBE_RETURN_IF_ERROR(found.status());
  const v1::Result& result = *found;
  if (json) {
    session.out.Print(JsonText(ResultJson(result)));
    return absl::OkStatus();
  }
  session.out.Print(JobHeader(session, result.job()));
  const int width = std::min(session.out.width(), kWidestTable);
  if (result.job().has_train()) {
    ShowVariants(session, result, width);
    return absl::OkStatus();
  }
  if (!result.cells().empty()) {
    ShowCurves(session, result, width);
    return absl::OkStatus();
  }
  const std::string table = MeansTable(result, width);
  if (table.empty()) return absl::OkStatus();
  session.out.Print(absl::StrCat(
      "\n", table, "\nMean \u00B1 standard deviation over pairs of experts; ",
      "ranks and singular values: over experts; router term: over tokens.\n",
      Losses(result), Significance(result, width)));
  return ShowPairs(session, result, width);
}

}  // namespace moeprobe
