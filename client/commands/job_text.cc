#include "client/commands/job_text.h"

#include <google/protobuf/timestamp.pb.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/time/time.h"
#include "client/result/result_json.h"
#include "client/text/format.h"
#include "moeprobe/v1/analysis.pb.h"
#include "moeprobe/v1/job.pb.h"
#include "spec/choice_name.h"
#include "spec/timestamp.h"

namespace moeprobe {
namespace {

// Of a queued job.
std::string PlaceText(const v1::Job& job) {
  std::string text;
  if (job.queue_position() > 0) {
    absl::StrAppend(&text, ", ", job.queue_position(), " ahead");
  }
  if (!job.has_estimated_start_time()) return text + ", start unknown";
  return absl::StrCat(
      text, ", to start about ",
      absl::FormatTime("%Y-%m-%d %H:%M", ToTime(job.estimated_start_time()),
                       absl::LocalTimeZone()));
}

}  // namespace

std::string StateText(const v1::Job& job) {
  std::string text = StateName(job.state());
  if (job.state() == v1::Job::STATE_QUEUED) text += PlaceText(job);
  if (job.state() == v1::Job::STATE_RUNNING) {
    absl::StrAppend(
        &text, absl::StrFormat(", %.0f %%", 100 * job.progress().fraction()),
        job.progress().phase().empty() ? "" : ", ", job.progress().phase());
  }
  if (job.cached()) text += ", cached";
  if (job.has_dropped()) text += ", results dropped";
  if (job.crash_count() > 0) {
    absl::StrAppend(&text, ", ", job.crash_count(),
                    " crashes since its last layer");
  }
  return text;
}

std::string MemoryWaitText(const v1::Job& job) {
  if (!job.has_memory_wait()) return "";
  const v1::MemoryWait& wait = job.memory_wait();
  std::string text =
      absl::StrCat(FormatBytes(wait.needed_bytes()), " of memory; ",
                   FormatBytes(wait.held_bytes()), " of ",
                   FormatBytes(wait.budget_bytes()), " are held");
  if (!wait.holders().empty()) {
    absl::StrAppend(&text, " by ", absl::StrJoin(wait.holders(), ", "));
  }
  if (wait.kept_bytes() == 0) return text;
  return absl::StrCat(
      text, ", and ", FormatBytes(wait.kept_bytes()), " are kept for ",
      wait.kept_for().empty() ? "a job that goes first" : wait.kept_for());
}

std::string PriorityText(const v1::Job& job) {
  const auto* value =
      v1::Job::Priority_descriptor()->FindValueByNumber(job.priority());
  const bool is_usual = job.priority() == v1::Job::PRIORITY_NORMAL ||
                        job.priority() == v1::Job::PRIORITY_UNSPECIFIED;
  return is_usual || value == nullptr ? "" : ChoiceName(*value);
}

std::string RetentionText(const v1::Job& job) {
  if (!job.has_dropped()) return job.kept() ? "kept" : "";
  return absl::StrCat("dropped at ", TimeText(job.dropped().time()), ": ",
                      job.dropped().reason());
}

std::string TimeText(const google::protobuf::Timestamp& time) {
  if (time.seconds() == 0) return "";
  return absl::FormatTime("%Y-%m-%d %H:%M:%S", ToTime(time),
                          absl::LocalTimeZone());
}

std::string CreatedText(const v1::Job& job) {
  return TimeText(job.create_time());
}

std::string DurationText(const v1::Job& job) {
  if (!job.has_start_time() || !job.has_end_time()) return "";
  return FormatClock(ToTime(job.end_time()) - ToTime(job.start_time()));
}

std::string RoutingText(const v1::RoutingSpec& routing) {
  const bool all = routing.select() == v1::ROUTING_SELECTION_ALL;
  return absl::StrCat(
      all ? "all experts" : absl::StrCat("top ", routing.top_k()),
      ", temperature ", FormatExact(routing.temperature()),
      routing.normalize() == v1::GATE_NORMALIZATION_ALWAYS
          ? ", gates renormalised"
          : "",
      routing.forward() == v1::FORWARD_GATES_OWN
          ? ", in statistics alone"
          : ", in the forward pass, too");
}

std::string SweepText(const v1::SweepAxis& axis) {
  return absl::StrCat(axis.field(), ": ", absl::StrJoin(axis.values(), ", "));
}

std::string DataText(const v1::DataSpec& data) {
  const std::string tokens =
      data.tokens() == -1 ? "all" : absl::StrCat(data.tokens());
  return absl::StrCat(tokens, " tokens in windows of ", data.sequence_length(),
                      ", ", data.has_text() ? data.text() : data.ids());
}

}  // namespace moeprobe
